; SPDX-License-Identifier: MIT
; cc: from trees to P1.
;
; s0 is the frame: arguments from s0 + 16 on, 8 bytes each and more for what
; is in memory, locals below s0. s1 is BSS, where objects are. Registers a0
; a1 a2 a3 t0 t1, by their numbers 0 to 5, hold values; t2 is for the moment.
; What is called keeps s0 and s1 only. A tree that calls something is worked
; out in a0, when no register holds anything.
;
; A value of less than 8 bytes is clean where it is extended to 64 bits as its
; type says; otherwise the bits above it may be anything.

(define code '())               ; the function's lines, in reverse, as lists
(define (emit . parts)
  (set! code (cons parts code)))

(define registers (vector "a0" "a1" "a2" "a3" "t0" "t1" "t2"))
(define last-register 5)
(define (reg r) (vector-ref registers r))

(define label-count 0)
(define (new-label)
  (set! label-count (+ label-count 1))
  label-count)
(define (emit-label n) (emit ":." n))
(define (emit-jump n) (emit "b ." n))

; --- The frame ---

(define frame-size 0)           ; of the blocks that are open
(define frame-max 0)
(define (align-up n align) (* (quotient (+ n (- align 1)) align) align))
(define (allocate size align)
  (set! frame-size (align-up (+ frame-size size) 8))
  (set! frame-max (max frame-max frame-size))
  (- frame-size))

; --- Objects ---

; A function or an object of the program. label: its name in P1, or #f for an
; object whose offset from BSS is known. state: declared, tentative, defined.
; linkage: shared with other files, static, or #f inside of a function. used:
; (file . line) where it was used first. needed: it goes into the program.
(fields obj label type state offset linkage used needed)

(define (obj-offset-text obj offset)
  (let ((label (obj-label obj)))
    (cond ((not label) (+ (obj-offset obj) offset))
          ((= offset 0) (string-append "v." label))
          (else
           (string-append "v." label (if (< offset 0) "" "+")
                          (number->string offset))))))

; --- Values ---

(define (load-name type clean)
  (case (register-size type)
    ((8) "ld8 ")
    ((4) (if (and clean (not (type-unsigned type))) "lds4 " "ld4 "))
    ((2) (if (and clean (not (type-unsigned type))) "lds2 " "ld2 "))
    (else (if (and clean (not (type-unsigned type))) "lds1 " "ld1 "))))
(define (store-name type)
  (case (register-size type)
    ((8) "st8 ") ((4) "st4 ") ((2) "st2 ") (else "st1 ")))
(define (register-size type)
  (case (type-kind type)
    ((int ptr float) (type-size type))
    (else 8)))

(define (extend r type)
  (let ((size (register-size type)))
    (if (< size 8)
        (emit (if (type-unsigned type) "zx" "sx") size " " (reg r)))))

; Works memory's pointer out in r, if it has one; returns the name of the
; register that the offset is from.
(define (memory-base n r)
  (case (node-op n)
    ((local) "s0")
    ((global) "s1")
    (else (gen (node-a n) r #t) (reg r))))
(define (memory-offset n)
  (case (node-op n)
    ((local) (node-a n))
    ((global) (obj-offset-text (node-a n) (node-b n)))
    (else (node-b n))))

; The value of a tree in register r, clean or not.
(define (gen n r clean)
  (let ((op (node-op n)) (type (node-type n)))
    (case op
      ((local global deref)
       (if (aggregate? type)
           (gen-address n r)
           (let ((base (memory-base n r)))
             (emit (load-name type clean) (reg r) " " base " "
                   (memory-offset n)))))
      ((num) (gen-num n r clean))
      ((cast) (gen-cast n r clean))
      ((#\+ #\- #\* #\& #\| #\^ << >> #\/ #\%) (gen-binary n r clean))
      ((addr) (gen-address (node-a n) r))
      ((call) (gen-call n r))
      ((=) (gen-assign n r clean #t))
      ((== != #\< #\> <= >=) (gen-compare n r))
      ((func) (emit "la " (reg r) " " (obj-label (node-a n))))
      ((bits) (gen-bits n r))
      ((neg com)
       (gen (node-a n) r #f)
       (emit (symbol->string op) " " (reg r))
       (if clean (extend r type)))
      ((&& oror) (gen-truth n r))
      ((cond)
       (let* ((no (new-label)) (end (new-label)))
         (gen-branch (node-a n) #f no r)
         (gen (node-b n) r clean)
         (emit-jump end)
         (emit-label no)
         (gen (node-c n) r clean)
         (emit-label end)))
      ((comma)
       (gen-effect (node-a n) r)
       (gen (node-b n) r clean))
      (else (fail "no code for " op)))))

(define (gen-num n r clean)
  (let ((v (node-a n)) (type (node-type n)))
    (cond ((eq? type t-ldouble)
           (gen-address (ldouble-constant v) r))
          ((small-32? v) (emit "li " (reg r) " " v))
          ((and (not clean) (= (register-size type) 4))
           (emit "li " (reg r) " " (wrap v t-int)))
          (else (emit "li8 " (reg r) " 0x" (number->hex v))))))
(define (small-32? v)
  (and (integer? v) (<= -2147483648 v 2147483647)))
(define (number->hex v)
  (let ((high (u64-shr v 32)) (low (i64-and v #xffffffff)))
    (if (= high 0)
        (number->string low 16)
        (let ((text (number->string low 16)))
          (string-append (number->string high 16)
                         (make-string (- 8 (string-length text)) #\0)
                         text)))))

(define (gen-address n r)
  (if (eq? (node-op n) 'deref)
      (begin
        (gen (node-a n) r #t)
        (if (not (eqv? (node-b n) 0))
            (emit "addi " (reg r) " " (node-b n))))
      (emit "lea " (reg r) " " (memory-base n r) " " (memory-offset n))))

(define (gen-cast n r clean)
  (let* ((from (node-type (node-a n))) (to (node-type n))
         (small (register-size from)) (size (register-size to)))
    (cond ((kind? to 'void) (gen-effect (node-a n) r))
          ((< small size)
           (gen (node-a n) r #t)
           (if (and clean (< size 8) (type-unsigned to)
                    (not (type-unsigned from)))
               (extend r to)))
          ((and (= small size) (eq? (type-unsigned from) (type-unsigned to)))
           (gen (node-a n) r clean))
          (else
           (gen (node-a n) r #f)
           (if clean (extend r to))))))

; Works out a in r and b in the register whose number is returned.
(define (gen-two a b r clean-a clean-b)
  (cond ((node-call b)
         (gen b 0 clean-b)
         (if (one-register? a)
             (begin
               (emit "mov a1 a0")
               (gen a 0 clean-a))
             (begin
               (emit "push a0")
               (gen a 0 clean-a)
               (emit "pop a1")))
         1)
        ((< r last-register)
         (gen a r clean-a)
         (gen b (+ r 1) clean-b)
         (+ r 1))
        (else
         (gen b r clean-b)
         (emit "push " (reg r))
         (gen a r clean-a)
         (emit "pop t2")
         6)))
(define (one-register? n)
  (case (node-op n)
    ((num local global func) #t)
    ((addr deref cast neg com) (one-register? (node-a n)))
    (else #f)))

(define (gen-binary n r clean)
  (let* ((op (node-op n)) (type (node-type n))
         (a (node-a n)) (b (node-b n))
         (v (and (num? b) (immediate op (node-a b) type)))
         (bitwise (memv op '(#\& #\| #\^)))
         ; whether the operands have to be clean, and whether the result is
         (exact (memv op '(#\/ #\% >>)))
         (mask (and v (eqv? op #\&) (>= v 0)))
         (want (or exact (and bitwise clean (not mask))))
         (name (operation-name op (type-unsigned type))))
    (if v
        (begin
          (gen a r want)
          (emit name "i " (reg r) " " v))
        (let ((other (gen-two a b r want
                              (if (memq op '(<< >>)) #f want))))
          (emit name " " (reg r) " " (reg other))))
    (if (and clean (not want) (not mask))
        (extend r type))))

(define (operation-name op unsigned)
  (case op
    ((#\+) "add") ((#\-) "sub") ((#\*) "mul")
    ((#\&) "and") ((#\|) "or") ((#\^) "xor")
    ((<<) "shl") ((>>) (if unsigned "shr" "sar"))
    ((#\/) (if unsigned "divu" "div"))
    (else (if unsigned "remu" "rem"))))

; v as the number of an instruction, or #f.
(define (immediate op v type)
  (case op
    ((#\+)
     (let ((v (if (= (register-size type) 4) (wrap v t-int) v)))
       (and (small-32? v) v)))
    ((#\& #\| #\^) (and (small-32? v) v))
    ((<< >>) (shift-count v))
    (else #f)))

; --- Comparisons ---

(define (gen-compare n r)
  (let* ((op (node-op n)) (a (node-a n)) (b (node-b n))
         (unsigned (type-unsigned (node-type a)))
         (less (if unsigned "sltu " "slt "))
         (other (reg (gen-two a b r #t #t)))
         (here (reg r)))
    (define (swapped name)
      (emit name other " " here)
      (emit "mov " here " " other))
    (case op
      ((==) (emit "seq " here " " other))
      ((!=) (emit "sne " here " " other))
      ((#\<) (emit less here " " other))
      ((#\>) (swapped less))
      ((>=) (emit less here " " other) (emit "xori " here " 1"))
      (else (swapped less) (emit "xori " here " 1")))))

(define (gen-truth n r)
  (let* ((end (new-label)) (no (new-label)))
    (gen-branch n #f no r)
    (emit "li " (reg r) " 1")
    (emit-jump end)
    (emit-label no)
    (emit "li " (reg r) " 0")
    (emit-label end)))

; Goes to a label if n is true, or if it is false.
(define (gen-branch n sense label r)
  (case (node-op n)
    ((num)
     (if (eq? sense (not (eqv? (node-a n) 0)))
         (emit-jump label)))
    ((&& oror)
     (if (eq? sense (eq? (node-op n) 'oror))
         (begin
           (gen-branch (node-a n) sense label r)
           (gen-branch (node-b n) sense label r))
         (let ((end (new-label)))
           (gen-branch (node-a n) (not sense) end r)
           (gen-branch (node-b n) sense label r)
           (emit-label end))))
    ((== != #\< #\> <= >=)
     (branch-compare (if sense
                         (node-op n)
                         (cdr (assv (node-op n) opposites)))
                     (node-a n) (node-b n) label r))
    ((comma)
     (gen-effect (node-a n) r)
     (gen-branch (node-b n) sense label r))
    (else
     (gen n r #t)
     (emit (if sense "bnz " "bz ") (reg r) " ." label))))

(define (branch-compare op a b label r)
  (let ((unsigned (type-unsigned (node-type a))))
    (cond
      ((and (zero-num? b) (memq op '(== !=)))
       (if (memv (node-op a) '(== != #\< #\> <= >= && oror))
           (gen-branch a (eq? op '!=) label r)
           (begin
             (gen a r #t)
             (emit (if (eq? op '==) "bz " "bnz ") (reg r) " ." label))))
      ((and (num? b) (small? (node-a b))
            (not (and unsigned (< (node-a b) 0))))
       (gen a r #t)
       (let ((v (node-a b)))
         (define (jump name v)
           (emit name (reg r) " " v " ." label))
         (case op
           ((==) (jump "beqi " v))
           ((!=) (jump "bnei " v))
           ((#\<) (jump (if unsigned "bltui " "blti ") v))
           ((>=) (jump (if unsigned "bgeui " "bgei ") v))
           ((<=) (jump (if unsigned "bltui " "blti ") (+ v 1)))
           (else (jump (if unsigned "bgeui " "bgei ") (+ v 1))))))
      (else
       (let ((other (reg (gen-two a b r #t #t))) (here (reg r)))
         (define (jump name x y)
           (emit name x " " y " ." label))
         (case op
           ((==) (jump "beq " here other))
           ((!=) (jump "bne " here other))
           ((#\<) (jump (if unsigned "bltu " "blt ") here other))
           ((>=) (jump (if unsigned "bgeu " "bge ") here other))
           ((#\>) (jump (if unsigned "bltu " "blt ") other here))
           (else (jump (if unsigned "bgeu " "bge ") other here))))))))

; --- Effects ---

; Does what a tree does; its value is not needed.
(define (gen-effect n r)
  (case (node-op n)
    ((num local global addr func) #f)
    ((=) (gen-assign n r #f #f))
    ((call) (gen-call n r))
    ((cast deref neg com bits) (gen-effect (node-a n) r))
    ((comma #\+ #\- #\* #\/ #\% #\& #\| #\^ << >> == != #\< #\> <= >=)
     (gen-effect (node-a n) r)
     (gen-effect (node-b n) r))
    ((&& oror)
     (let ((end (new-label)))
       (gen-branch (node-a n) (eq? (node-op n) 'oror) end r)
       (gen-effect (node-b n) r)
       (emit-label end)))
    ((cond)
     (let* ((no (new-label)) (end (new-label)))
       (gen-branch (node-a n) #f no r)
       (gen-effect (node-b n) r)
       (emit-jump end)
       (emit-label no)
       (gen-effect (node-c n) r)
       (emit-label end)))
    (else (gen n r #f))))

; wanted: whether the value is to be in r afterwards.
(define (gen-assign n r clean wanted)
  (let* ((place (node-a n)) (v (node-b n)) (type (node-type n)))
    (cond
      ((eq? (node-op place) 'bits) (gen-assign-bits place v r wanted))
      ((aggregate? type) (gen-copy place v r (type-size type)))
      ((not (eq? (node-op place) 'deref))
       (gen v r clean)
       (emit (store-name type) (reg r) " " (memory-base place r) " "
             (memory-offset place)))
      (else
       (gen-with-pointer v place r clean wanted
         (lambda (v p)
           (emit (store-name type) v " " p " " (memory-offset place))))))))

; Works out v in r and the pointer of place in another register; calls proc
; with their names.
(define (gen-with-pointer v place r clean wanted proc)
  (let ((p (node-a place)))
    (cond ((and (node-call p) (not (node-call v)))
           (gen p 0 #t)
           (gen v 1 clean)
           (proc "a1" "a0")
           (if wanted (emit "mov a0 a1")))
          (else
           (let ((other (gen-two v p r clean #t)))
             (proc (reg r) (reg other)))))))

; --- Bit-fields ---

; Shifts what is in r so that only the field is left, as its type says.
(define (cut-bits r shift width unsigned)
  (emit "shli " (reg r) " " (- 64 width shift))
  (emit (if unsigned "shri " "sari ") (reg r) " " (- 64 width)))
(define (gen-bits n r)
  (let ((memory (node-a n)) (bits (node-b n)))
    (gen memory r #f)
    (cut-bits r (car bits) (cdr bits) (type-unsigned (node-type memory)))))

(define (gen-assign-bits place v r wanted)
  (let* ((memory (node-a place)) (type (node-type memory))
         (shift (car (node-b place))) (width (cdr (node-b place))))
    (define (insert v p)
      (emit "shli " v " " (- 64 width))
      (emit "shri " v " " (- 64 width shift))
      (emit (load-name type #f) "t2 " p " " (memory-offset memory))
      (clear-bits v shift width (register-size type))
      (emit "or t2 " v)
      (emit (store-name type) "t2 " p " " (memory-offset memory)))
    (not-too-deep r)
    (if (eq? (node-op memory) 'deref)
        (gen-with-pointer v memory r #f wanted insert)
        (begin
          (gen v r #f)
          (insert (reg r) (memory-base memory r))))
    (if wanted
        (cut-bits r shift width (type-unsigned type)))))
; Where t2 is needed, it cannot hold what there was no other register for.
(define (not-too-deep r)
  (if (= r last-register) (fail "an expression that is too deep")))
; Clears the field in t2; v is another register.
(define (clear-bits v shift width size)
  (let* ((mask (i64-shl (i64- (if (= width 64) 0 (i64-shl 1 width)) 1) shift))
         (rest (i64-xor -1 mask))
         (rest (if (< size 8) (wrap rest t-int) rest)))
    (if (small-32? rest)
        (emit "andi t2 " rest)
        (begin
          (emit "push " v)
          (emit "li8 " v " 0x" (number->hex rest))
          (emit "and t2 " v)
          (emit "pop " v)))))

; --- Structs ---

(define inline-copy 64)         ; as many bytes are copied word by word

; Copies v, in memory, to place; the address of the copy is in r.
(define (gen-copy place v r size)
  (let* ((align (type-align (node-type place)))
         (from (gen-two (node1 'addr t-chars place) v r #t #t)))
    (not-too-deep r)
    (copy-words (reg r) (reg from) size align)))
(define (copy-words to from size align)
  (if (> size inline-copy)
      (emit "copy" (min align 8) " " to " " from " " size)
      (let loop ((at 0))
        (let ((n (chunk (- size at) align)))
          (if (> n 0)
              (begin
                (emit "ld" n " t2 " from " " at)
                (emit "st" n " t2 " to " " at)
                (loop (+ at n))))))))
; How many bytes to copy at once.
(define (chunk left align)
  (cond ((and (>= left 8) (>= align 8)) 8)
        ((and (>= left 4) (>= align 4)) 4)
        ((and (>= left 2) (>= align 2)) 2)
        ((> left 0) 1)
        (else 0)))

; --- Calls ---

(define (gen-call n r)
  (let* ((fn (node-a n))
         (size (push-args (node-b n)))
         (result (node-c n)))
    (if result
        (begin
          (emit "lea a0 s0 " result)
          (emit "push a0")))
    (if (eq? (node-op fn) 'func)
        (emit "call " (obj-label (node-a fn)))
        (begin
          (gen fn 0 #t)
          (emit "callr a0")))
    (let ((size (if result (+ size 8) size)))
      (if (> size 0) (emit "addsp " size)))))

; From the last to the first; -> how many bytes.
(define (push-args args)
  (if (null? args)
      0
      (let ((size (push-args (cdr args))) (n (car args)))
        (if (aggregate? (node-type n))
            (+ size (push-memory n))
            (begin
              (gen n 0 #t)
              (emit "push a0")
              (+ size 8))))))
(define (push-memory n)
  (let* ((size (type-size (node-type n))) (room (align-up size 8)))
    (gen n 0 #t)
    (emit "addsp -" room)
    (emit "getsp a1")
    (copy-words "a1" "a0" size (type-align (node-type n)))
    room))
