; SPDX-License-Identifier: MIT
; cc: declarations, initialisers, functions, and the program as a whole.

; --- The program ---

(define functions '())          ; #(obj uses lines), the last one first
(define uses '())               ; what the function uses: objs
(define roots '())              ; what initialisers use
(define data '())               ; the lines of the image, the last one first
(define data-size 16)           ; of the image; no object is at BSS + 0
(define objects '())            ; those with a name, the last one first
(define externals (make-hash-table))    ; symbol -> obj, for all files
(define label-uses (make-hash-table))   ; symbol -> how often it was used

; A label in P1 for a name of C: NAME, or NAME.2 for the second one.
(define (unique-label text)
  (let* ((symbol (string->symbol text))
         (n (+ 1 (hash-table-ref/default label-uses symbol 0))))
    (hash-table-set! label-uses symbol n)
    (if (= n 1)
        text
        (string-append text "." (number->string n)))))

; The obj of a name that has linkage; kind is object or func. Names that files
; share keep theirs as a label.
(define (linked-obj id kind type static)
  (let ((old (tok-decl id)) (symbol (string->symbol (tok-text id))))
    (cond
      ((and old (memq (decl-kind old) '(object func))
            (obj-linkage (decl-value old)))
       (merge-obj id (decl-value old) kind type))
      (static
       (new-obj (unique-label (tok-text id)) type 'static))
      ((hash-table-ref/default externals symbol #f)
       (merge-obj id (hash-table-ref/default externals symbol #f)
                  kind type))
      (else
       (let ((obj (new-obj (unique-label (tok-text id)) type 'shared)))
         (hash-table-set! externals symbol obj)
         obj)))))
(define (new-obj label type linkage)
  (let ((obj (vector label type 'declared #f linkage #f #f)))
    (if (not (kind? type 'func)) (set! objects (cons obj objects)))
    obj))

; What comes next in the image, without a name.
(define (unnamed-obj type)
  (vector #f type 'defined data-size #f #f #t))

; The same obj again. What one declaration leaves open (an array's length, a
; function's parameters) another one tells.
(define (merge-obj id obj kind type)
  (let ((old (obj-type obj)))
    (if (not (same-type? old type))
        (fail (tok-text id) " has been declared as something else"))
    (set-obj-type!
      obj
      (cond ((type-ext type) type)
            ((kind? type 'array)
             (array-of (type-base type) (type-ext old)))
            (else (if (type-ext old) old type))))
    obj))
; Structs of different files are the same type if they have the same size.
(define (same-type? a b)
  (or (eq? a b)
      (and (eq? (type-kind a) (type-kind b))
           (case (type-kind a)
             ((ptr)
              (or (kind? (type-base a) 'void) (kind? (type-base b) 'void)
                  (same-type? (type-base a) (type-base b))))
             ((array)
              (and (same-type? (type-base a) (type-base b))
                   (or (not (type-ext a)) (not (type-ext b))
                       (= (type-ext a) (type-ext b)))))
             ((func)
              (and (same-type? (type-base a) (type-base b))
                   (or (not (type-ext a)) (not (type-ext b))
                       (and (eq? (type-flag a) (type-flag b))
                            (same-types? (type-ext a) (type-ext b))))))
             ((struct)
              (or (not (type-size a)) (not (type-size b))
                  (= (type-size a) (type-size b))))
             (else #f)))))
(define (same-types? a b)
  (if (or (null? a) (null? b))
      (and (null? a) (null? b))
      (and (same-type? (car a) (car b)) (same-types? (cdr a) (cdr b)))))

; --- Declarations ---

; In a function or outside of all.
(define (parse-declaration)
  (let* ((base (parse-specifiers)) (class storage))
    (if (not (accept #\;))
        (let loop ()
          (let* ((d (parse-declarator)) (id (car d)) (type ((cdr d) base)))
            (if (not id) (fail "a name is missing before " (tok-name)))
            (cond
              ((eq? class 'typedef) (bind! id 'typedef type #f))
              ((kind? type 'func)
               (declare id 'func type (eq? class 'static)))
              ((= depth 0) (declare-object id type class))
              ((eq? class 'extern) (declare id 'object type #f))
              ((eq? class 'static) (declare-static id type))
              (else (declare-local id type)))
            (cond ((and (eqv? tok #\{) (= depth 0) (kind? type 'func))
                   (define-function (decl-value (tok-decl id)) type id))
                  ((accept #\,) (loop))
                  (else (expect #\;))))))))

(define (declare id kind type static)
  (let ((obj (linked-obj id kind type static)))
    (bind! id kind (obj-type obj) obj)
    obj))

(define (declare-object id type class)
  (let ((obj (declare id 'object type (eq? class 'static))))
    (cond ((eqv? tok #\=)
           (if (eq? (obj-state obj) 'defined)
               (fail (tok-text id) " has been defined before"))
           (define-object obj type)
           (set-decl-type! (tok-decl id) (obj-type obj)))
          ((and (not (eq? class 'extern)) (eq? (obj-state obj) 'declared))
           (set-obj-state! obj 'tentative)))))

(define (declare-static id type)
  (let ((obj (new-obj (unique-label (string-append function-name "."
                                                   (tok-text id)))
                      type #f)))
    (set-obj-state! obj 'tentative)
    (bind! id 'object type obj)
    (if (eqv? tok #\=)
        (begin
          (define-object obj type)
          (set-decl-type! (tok-decl id) (obj-type obj))))))

(define (declare-local id type)
  (define (place! type)
    (let ((offset (allocate (size-of type) (type-align type))))
      (bind! id 'local type offset)
      offset))
  (cond ((not (accept #\=)) (place! type))
        ((type-size type)
         (let ((offset (place! type)))
           (initialize-local type offset (cdr (parse-initializer type)))))
        (else
         (let ((found (parse-initializer type)))
           (initialize-local (car found) (place! (car found))
                             (cdr found))))))

; --- Initialisers ---

; A part of what is initialised: its value is a tree that fits its type, or a
; string for an array of characters; bits as in a member.
(fields item offset type value bits)

(define items '())              ; the last one first
(define pending #f)             ; an expression that was read ahead

; -> (type . items); the type has the length of the array.
(define (parse-initializer type)
  (let ((old items))
    (set! items '())
    (let* ((length (initialize type 0 #f))
           (found (reverse items)))
      (set! items old)
      (cons (if (and (kind? type 'array) (not (type-size type)))
                (array-of (type-base type) length)
                type)
            found))))

(define (add-item! offset type value bits)
  (set! items (cons (vector offset type value bits) items)))

; Reads what initialises an object of a type at an offset; the length of what
; was found for an array.
(define (initialize type offset bits)
  (case (type-kind type)
    ((array)
     (cond (pending (initialize-array type offset #f))
           ((and (char-array? type) (eq? tok 'str))
            (add-string! type offset (parse-string)))
           ((accept #\{)
            (if (and (char-array? type) (eq? tok 'str))
                (let ((n (add-string! type offset (parse-string))))
                  (accept #\,)
                  (expect #\})
                  n)
                (let ((n (initialize-array type offset #t)))
                  (end-of-list)
                  n)))
           (else (initialize-array type offset #f))))
    ((struct)
     (size-of type)
     (cond ((and (not pending) (accept #\{))
            (initialize-struct type offset #t)
            (end-of-list))
           ((and (not pending) (eq? tok 'str))
            (initialize-struct type offset #f))
           (else
            (let ((n (or pending (value (parse-assignment)))))
              (set! pending #f)
              (if (eq? (node-type n) type)
                  (add-item! offset type n #f)
                  (begin
                    (set! pending n)
                    (initialize-struct type offset #f)))))))
    (else
     (let* ((braces (and (not pending) (accept #\{)))
            (n (or pending (begin (no-designator) (parse-assignment)))))
       (set! pending #f)
       (add-item! offset type (convert (value n) type) bits)
       (if braces (end-of-list))))))
(define (end-of-list)
  (accept #\,)
  (if (not (eqv? tok #\})) (fail "too many initialisers"))
  (next))
(define (no-designator)
  (if (memv tok '(#\. #\[)) (fail "designators are not supported")))
(define (char-array? type)
  (let ((base (type-base type)))
    (and (int? base) (= (type-size base) 1))))

(define (initialize-array type offset braced)
  (let* ((base (type-base type)) (n (type-ext type)) (size (size-of base)))
    (let loop ((i 0))
      (if (or (eqv? n i) (and braced (eqv? tok #\})))
          i
          (begin
            (no-designator)
            (initialize base (+ offset (* i size)) #f)
            (if (and (eqv? tok #\,) (not (eqv? n (+ i 1))))
                (begin
                  (next)
                  (if (eqv? tok #\}) (+ i 1) (loop (+ i 1))))
                (+ i 1)))))))
(define (initialize-struct type offset braced)
  (let loop ((members (type-ext type)))
    (cond ((or (null? members) (and braced (eqv? tok #\}))) #f)
          ((not (type-size (member-type (car members))))
           (fail "a value for an array without a length"))
          (else
           (let ((m (car members)))
             (no-designator)
             (initialize (member-type m) (+ offset (member-offset m))
                         (member-bits m))
             (if (and (eqv? tok #\,) (pair? (cdr members))
                      (not (type-flag type)))
                 (begin
                   (next)
                   (if (not (eqv? tok #\})) (loop (cdr members))))))))))

; The string with its NUL, as far as there is room; -> the length.
(define (add-string! type offset text)
  (let* ((size (type-size type))
         (n (string-length text))
         (length (or size (+ n 1))))
    (if (> n length) (fail "a string that is too long"))
    (add-item! offset (array-of (type-base type) length) text #f)
    length))

; --- Initialised locals ---

(define (initialize-local type offset items)
  (if (and (pair? items) (null? (cdr items))
           (not (string? (item-value (car items))))
           (eq? (item-type (car items)) type))
      (gen-effect (assign (local type offset) (item-value (car items))) 0)
      (begin
        (gen-zero offset (align-up (size-of type) 8))
        (for-each (lambda (item) (initialize-part item offset)) items))))
(define (initialize-part item offset)
  (let ((v (item-value item)) (at (+ offset (item-offset item))))
    (cond
      ((not (string? v))
       (if (not (zero-num? v))
           (gen-effect (assign (bit-part (local (item-type item) at)
                                         (item-bits item))
                               v)
                       0)))
      ((> (string-length v) 0)
       (gen-copy (local (item-type item) at) (string-object v) 0
                 (string-length v))))))
(define (gen-zero offset size)
  (if (<= size inline-copy)
      (begin
        (emit "li a0 0")
        (let loop ((at 0))
          (if (< at size)
              (begin
                (emit "st8 a0 s0 " (+ offset at))
                (loop (+ at 8))))))
      (emit "zero s0 " offset " " size)))

; --- The image ---

(define (data-line . parts)
  (set! data (cons parts data)))

; Skips to where an object may start.
(define (align-data! align)
  (let ((n (- (align-up data-size align) data-size)))
    (emit-zeros n)
    (set! data-size (+ data-size n))))
(define (emit-zeros n)
  (if (>= n 8)
      (begin (data-line ".8 0") (emit-zeros (- n 8)))
      (if (> n 0) (begin (data-line ".1 0") (emit-zeros (- n 1))))))

; A string that is an object of its own, as an array.
(define (string-object text)
  (let* ((length (+ (string-length text) 1))
         (type (array-of t-char length))
         (obj (unnamed-obj type)))
    (emit-text text length)
    (set! data-size (+ data-size length))
    (node 'global type #f obj 0)))

; The characters of a string, up to a length, with zeros behind.
(define (emit-text text length)
  (let ((n (string-length text)))
    (define (run i)                      ; to the end of what can be quoted
      (let loop ((j i))
        (if (and (< j n) (< (- j i) 60) (plain? (string-ref text j)))
            (loop (+ j 1))
            j)))
    (let loop ((i 0) (parts '()) (width 0))
      (cond ((or (= i n) (> width 60))
             (if (pair? parts) (set! data (cons (reverse parts) data)))
             (if (< i n) (loop i '() 0)))
            ((plain? (string-ref text i))
             (let ((j (run i)))
               (loop j
                     (cons "\" " (cons (substring text i j) (cons "\"" parts)))
                     (+ width (- j i) 3))))
            (else
             (loop (+ i 1)
                   (cons " " (cons (byte->hex (char->integer
                                                (string-ref text i)))
                                   parts))
                   (+ width 3)))))
    (emit-zeros (- length n))))
(define (plain? c)
  (let ((n (char->integer c)))
    (and (<= 32 n 126) (not (= n 34)))))
(define (byte->hex n)
  (string-append (if (< n 16) "0" "") (number->string n 16)))

; A long double that is an object of its own.
(define (ldouble-constant v)
  (align-data! 16)
  (let ((obj (unnamed-obj t-ldouble)))
    (emit-value t-ldouble (num t-ldouble v))
    (set! data-size (+ data-size 16))
    (node 'global t-ldouble #f obj 0)))

; "=" and what follows, for an obj.
(define (define-object obj type)
  (next)
  (let* ((old uses)
         (found (begin (set! uses roots) (parse-initializer type)))
         (items (cdr found)))
    (set! roots uses)
    (set! uses old)
    (set-obj-type! obj (car found))
    (set-obj-state! obj 'defined)
    (if (not (all-zero? items))
        (begin
          (align-data! (max 8 (type-align type)))
          (set-obj-offset! obj data-size)
          (data-line "# " (obj-label obj))
          (emit-items items (size-of (car found)))
          (set! data-size (+ data-size (size-of (car found))))))))
(define (all-zero? items)
  (or (null? items)
      (and (not (string? (item-value (car items))))
           (zero-num? (item-value (car items)))
           (all-zero? (cdr items)))))

; The items of an object of so many bytes.
(define (emit-items items size)
  (let loop ((items items) (at 0))
    (if (null? items)
        (emit-zeros (- size at))
        (let* ((item (car items)) (offset (item-offset item)))
          (if (item-bits item)
              (emit-bit-fields items at size loop)
              (begin
                (emit-zeros (- offset at))
                (emit-item (item-type item) (item-value item))
                (loop (cdr items)
                      (+ offset (type-size (item-type item))))))))))
(define (emit-item type v)
  (if (string? v)
      (emit-text v (type-size type))
      (emit-value type v)))

; Bit-fields that share bytes: put together, then byte by byte. rest goes on.
(define (emit-bit-fields items at size rest)
  (let* ((bit (lambda (item)
                (+ (* 8 (item-offset item)) (car (item-bits item)))))
         (start (quotient (bit (car items)) 8)))
    (emit-zeros (- start at))
    (let loop ((items items) (at start) (byte 0))
      ; byte: what is known of the byte at at
      (if (and (pair? items) (item-bits (car items))
               (= (quotient (bit (car items)) 8) at))
          (let* ((item (car items)) (width (cdr (item-bits item)))
                 (shift (remainder (bit item) 8)))
            (if (not (int-num? (item-value item)))
                (fail "an initialiser that is not constant"))
            (let field ((v (node-a (item-value item)))
                        (shift shift) (width width) (at at) (byte byte))
              (let* ((n (min width (- 8 shift)))
                     (low (i64-and v (- (i64-shl 1 n) 1)))
                     (byte (+ byte (i64-shl low shift))))
                (cond ((< (+ shift width) 8) (loop (cdr items) at byte))
                      (else
                       (data-line ".1 " byte)
                       (if (= n width)
                           (loop (cdr items) (+ at 1) 0)
                           (field (u64-shr v n) 0 (- width n)
                                  (+ at 1) 0)))))))
          (begin
            (if (> byte 0) (data-line ".1 " byte))
            (rest items (if (> byte 0) (+ at 1) at)))))))

(define (emit-value type n)
  (let ((v (and (num? n) (node-a n))))
    (cond
      ((and v (eq? type t-ldouble))
       (data-line ".8 0x" (number->hex (car v)) " .8 " (cdr v)))
      (v
       (data-line "." (type-size type) " "
                  (if (integer? v) v (string-append "0x" (number->hex v)))))
      ((not (= (register-size type) 8)) (not-constant))
      (else (emit-address n)))))
(define (emit-address n)
  (case (node-op n)
    ((cast)
     (if (= (register-size (node-type (node-a n))) 8)
         (emit-address (node-a n))
         (not-constant)))
    ((func)
     (data-line "&" (obj-label (node-a n)) " 00000000"))
    ((addr)
     (let ((memory (node-a n)))
       (if (not (eq? (node-op memory) 'global)) (not-constant))
       (data-line ".8 BSS+"
                  (obj-offset-text (node-a memory) (node-b memory)))))
    (else (not-constant))))
(define (not-constant)
  (fail "an initialiser that is not constant"))

; --- Functions ---

(define (define-function obj type id)
  (if (eq? (obj-state obj) 'defined)
      (fail (tok-text id) " has been defined before"))
  (set-obj-state! obj 'defined)
  (set! code '())
  (set! frame-size 0)
  (set! frame-max 0)
  (set! label-count 0)
  (set! function-name (obj-label obj))
  (set! result-type (type-base type))
  (set! result-offset (and (aggregate? result-type) 16))
  (in-scope
    (lambda ()
      (bind-parameters (or (type-unsigned type) '()) (or (type-ext type) '())
                       (if result-offset 24 16))
      (next)
      (parse-block)))
  (if (string=? (tok-text id) "main") (emit "li a0 0"))
  (emit "leave")
  (check-labels)
  (set! functions (cons (vector obj uses (finish-code)) functions))
  (set! uses '())
  (set! code '()))
(define (bind-parameters ids types offset)
  (if (pair? ids)
      (begin
        (if (not (car ids)) (fail "a parameter without a name"))
        (bind! (car ids) 'local (car types) offset)
        (bind-parameters (cdr ids) (cdr types)
                         (+ offset (slot-size (car types)))))))

; The lines in order, without those that are never reached.
(define (finish-code)
  (let loop ((lines code) (out '()))
    (if (pair? lines)
        (loop (cdr lines) (cons (car lines) out))
        (cons (list "enter " frame-max) (drop-dead out)))))
(define (drop-dead lines)
  (let loop ((lines lines) (out '()) (dead #f))
    (if (null? lines)
        (reverse out)
        (let* ((line (car lines)) (first (car line)))
          (cond ((char=? (string-ref first 0) #\:)
                 (loop (cdr lines)
                       (cons line
                             (if (and (pair? out) (jump-to? (car out) line))
                                 (cdr out)
                                 out))
                       #f))
                (dead (loop (cdr lines) out #t))
                (else
                 (loop (cdr lines) (cons line out)
                       (or (string=? first "leave")
                           (string=? first "b .")))))))))
(define (jump-to? line label)
  (and (string=? (car line) "b .")
       (string=? (car label) ":.")
       (eqv? (cadr line) (cadr label))))

; --- The whole ---

(define options '())            ; the texts of -D

; Reads a file's declarations.
(define (compile-file name)
  (set! words (make-hash-table))
  (define-words)
  (for-each define-option options)
  (set! around '())
  (set! input '())
  (set! files '())
  (open-source name)
  (next)
  (let loop ()
    (cond ((eq? tok 'eof) #f)
          ((accept #\;) (loop))
          (else (parse-declaration) (loop)))))

(define (define-words)
  (for-each
    (lambda (word) (set-tok-tok! (intern (symbol->string word)) word))
    '(if else while for do switch case default break continue return goto
      sizeof void char short int long signed unsigned float double _Bool
      struct union enum const volatile static extern typedef register auto
      inline restrict asm __asm__ __attribute__ __builtin_va_list
      __builtin_va_start __builtin_va_arg __builtin_va_end
      __builtin_va_copy))
  (for-each
    (lambda (pair) (set-tok-tok! (intern (car pair)) (cdr pair)))
    '(("__inline" . inline) ("__inline__" . inline) ("__const" . const)
      ("__volatile__" . volatile) ("__restrict" . restrict)
      ("__signed__" . signed)))
  (define-own "__LINE__"
    (lambda ()
      (literal 'num (number->string (if (null? around) line call-line)))))
  (define-own "__FILE__"
    (lambda () (stringify (list (literal 'file file)))))
  (for-each define-option
            '("__STDC__" "__STDC_VERSION__=199901L" "__LP64__"
              "__CHAR_BIT__=8" "__SIZEOF_POINTER__=8" "__SIZEOF_LONG__=8"
              "__SIZEOF_INT__=4" "__SIZEOF_LONG_DOUBLE__=16")))

; What main, exit and the initialisers need, and what that needs, goes into
; the program.
(define (mark-needed)
  (define (mark obj)
    (if (not (obj-needed obj))
        (begin
          (set-obj-needed! obj #t)
          (if (eq? (obj-state obj) 'declared) (check-given obj))
          (for-each mark (hash-table-ref/default function-uses
                                                 (obj-label obj) '())))))
  (define function-uses (make-hash-table))
  (for-each (lambda (f)
              (hash-table-set! function-uses (obj-label (vector-ref f 0))
                               (vector-ref f 1)))
            functions)
  (for-each (lambda (name)
              (let ((obj (hash-table-ref/default externals name #f)))
                (if obj (mark obj) (fail name " is not defined anywhere"))))
            '(main exit))
  (for-each mark roots))
; What is used without a definition has to be one of the functions in cc.P1.
(define (check-given obj)
  (let ((place (or (obj-used obj) (cons file line))))
    (if (not (member (obj-label obj)
                     '("setjmp" "longjmp" "sys_read" "sys_write" "sys_openat"
                       "sys_close" "sys_lseek" "sys_unlinkat" "sys_clone"
                       "sys_execve" "sys_wait4" "sys_exit")))
        (fail-in (car place) (cdr place)
                 (obj-label obj) " is not defined anywhere"))))

; Objects without a value come behind the image. -> the size of all.
(define (place-objects objects)
  (let loop ((objects objects) (size (align-up data-size 16)))
    (if (> size 2000000000) (fail "the objects are too large"))
    (if (null? objects)
        size
        (let* ((obj (car objects)) (type (obj-type obj)))
          (if (or (obj-offset obj) (not (obj-needed obj)))
              (loop (cdr objects) size)
              (let* ((type (if (type-size type) type
                               (array-of (type-base type) 1)))
                     (offset (align-up size (max 8 (type-align type)))))
                (set-obj-offset! obj offset)
                (loop (cdr objects) (+ offset (size-of type)))))))))

(define (write-program size port)
  (define (put . parts)
    (for-each (lambda (part) (display part port)) parts)
    (newline port))
  (define (put-line line)
    (for-each (lambda (part) (display part port)) line)
    (newline port))
  (for-each (lambda (obj)
              (if (obj-offset obj)
                  (put "const v." (obj-label obj) " " (obj-offset obj))))
            objects)
  (put "const cc.image.size " data-size)
  (put "program " (align-up size 16))
  (put "cc.runtime")
  (for-each (lambda (f)
              (let ((obj (vector-ref f 0)))
                (if (obj-needed obj)
                    (begin
                      (put ":" (obj-label obj))
                      (for-each put-line (vector-ref f 2))))))
            (reverse functions))
  (put "<8")
  (put ":cc.image")
  (put ".8 0 .8 0")
  (for-each put-line (reverse data))
  (put ":elf.end"))

(define (compile-all args)
  (let loop ((args args) (names '()))
    (cond ((null? args)
           (if (or (null? names) (null? (cdr names)))
               (fail-usage)
               (begin
                 (set! options (reverse options))
                 (for-each compile-file (reverse (cdr names)))
                 (mark-needed)
                 (set! objects (reverse objects))
                 (align-data! 8)
                 (let ((size (place-objects objects))
                       (port (open-output-file (car names))))
                   (write-program size port)
                   (close-port port)))))
          ((string=? (car args) "-D")
           (if (null? (cdr args)) (fail-usage))
           (set! options (cons (cadr args) options))
           (loop (cddr args) names))
          (else (loop (cdr args) (cons (car args) names))))))
(define (fail-usage)
  (display "usage: cc [-D NAME[=VALUE]]... INPUT.c... OUTPUT.P1\n"
           (current-error-port))
  (exit 1))

(compile-all (cdr (command-line)))
