; SPDX-License-Identifier: MIT
; cc: types, literals, and the tree of an expression.

; kind is void, int, float, ptr, array, func or struct; size in bytes, #f where
; it is not known yet; base is what a ptr points at, an array is made of, a
; func returns. ext: the length of an array or #f; the types of a func's
; parameters or #f where it does not tell; the members of a struct or #f.
; flag: a func takes more arguments; a struct is a union; an int is _Bool.
; ptr: the type of pointers to this one, once there is one.
(fields type kind size align unsigned base ext flag ptr)

; bits: #f, or how far a bit-field is shifted, and its width.
(fields member id type offset bits)

(define (int-type size unsigned)
  (vector 'int size size unsigned #f #f #f #f))
(define t-void (vector 'void 1 1 #f #f #f #f #f))
(define t-char (int-type 1 #f))
(define t-schar (int-type 1 #f))
(define t-uchar (int-type 1 #t))
(define t-short (int-type 2 #f))
(define t-ushort (int-type 2 #t))
(define t-int (int-type 4 #f))
(define t-uint (int-type 4 #t))
(define t-long (int-type 8 #f))
(define t-ulong (int-type 8 #t))
(define t-bool (vector 'int 1 1 #t #f #f #t #f))
(define t-float (vector 'float 4 4 #t #f #f #f #f))
(define t-double (vector 'float 8 8 #t #f #f #f #f))
(define t-ldouble (vector 'float 16 16 #t #f #f #f #f))

(define (pointer-to type)
  (or (type-ptr type)
      (let ((p (vector 'ptr 8 8 #t type #f #f #f)))
        (set-type-ptr! type p)
        p)))
(define (array-of type length)
  (vector 'array
          (and length (* length (size-of type)))
          (type-align type) #f type length #f #f))
(define (function-type result params rest)
  (vector 'func 1 1 #f result params rest #f))
(define t-chars (pointer-to t-char))

(define (size-of type)
  (or (type-size type) (fail "the size of this type is not known")))
(define (kind? type kind) (eq? (type-kind type) kind))
(define (int? type) (eq? (type-kind type) 'int))
(define (float? type) (eq? (type-kind type) 'float))
(define (arithmetic? type) (or (int? type) (float? type)))
(define (scalar? type)
  (or (int? type) (kind? type 'ptr) (float? type)))
; Whether a value is in memory, its address standing for it.
(define (aggregate? type)
  (or (kind? type 'struct) (kind? type 'array) (eq? type t-ldouble)))

; --- Literals ---

; The value of a number, character or string; a string's is a string.
(define (literal-value lit)
  (or (lit-value lit)
      (let ((value (case (lit-kind lit)
                     ((num) (number-node (lit-text lit)))
                     ((chr) (char-node (unescape (lit-text lit))))
                     (else (unescape (lit-text lit))))))
        (set-lit-value! lit value)
        value)))

(define (char-node text)
  (if (not (= (string-length text) 1))
      (fail "a character constant of " (string-length text) " characters"))
  (num t-int (wrap (char->integer (string-ref text 0)) t-char)))

(define (digit c)
  (cond ((char<? c #\0) 99)
        ((char<=? c #\9) (- (char->integer c) 48))
        ((and (char<=? #\a c) (char<=? c #\z)) (- (char->integer c) 87))
        ((and (char<=? #\A c) (char<=? c #\Z)) (- (char->integer c) 55))
        (else 99)))

(define (unescape text)
  (let ((end (- (string-length text) 1)))
    (let loop ((i 1) (out '()))
      (if (= i end)
          (list->string (reverse out))
          (let ((c (string-ref text i)))
            (if (char=? c #\\)
                (escape text (+ i 1)
                        (lambda (i c) (loop i (if c (cons c out) out))))
                (loop (+ i 1) (cons c out))))))))
; Calls proc with where the escape ends and its character, or #f.
(define (escape text i proc)
  (let* ((c (string-ref text i))
         (simple (assq c '((#\n . 10) (#\t . 9) (#\r . 13) (#\a . 7)
                           (#\b . 8) (#\f . 12) (#\v . 11) (#\e . 27)))))
    (define (number i base most)
      (let loop ((i i) (n 0) (most most))
        (if (and (< 0 most) (< (digit (string-ref text i)) base))
            (loop (+ i 1)
                  (+ (* n base) (digit (string-ref text i)))
                  (- most 1))
            (begin
              (if (> n 255) (fail "an escape of more than a byte"))
              (proc i (integer->char n))))))
    (cond (simple (proc (+ i 1) (integer->char (cdr simple))))
          ((memq c '(#\\ #\' #\" #\?)) (proc (+ i 1) c))
          ((< (digit c) 8) (number i 8 3))
          ((char=? c #\x)
           (if (> (digit (string-ref text (+ i 1))) 15)
               (fail "an escape without digits"))
           (number (+ i 1) 16 100))
          ((char=? c #\newline) (proc (+ i 1) #f))
          (else (fail "an escape that is not known: \\" c)))))

(define (number-node text)
  (let* ((n (string-length text))
         (hex (and (> n 2) (char=? (string-ref text 0) #\0)
                   (memq (string-ref text 1) '(#\x #\X))))
         (base (cond (hex 16) ((char=? (string-ref text 0) #\0) 8) (else 10))))
    (let loop ((i (if hex 2 0)) (v 0))
      (let ((d (if (< i n) (digit (string-ref text i)) 99)))
        (cond ((< d base)
               (let ((next (i64+ (i64* v base) d)))
                 (if (not (i64= (u64-quotient (i64- next d) base) v))
                     (fail "a number of more than 64 bits: " text))
                 (loop (+ i 1) next)))
              ((and (< i n)
                    (memq (string-ref text i) '(#\. #\e #\E #\p #\P)))
               (float-node text))
              ((and (< d 10)) (float-or-octal text))
              (else
               (num (number-type v (= base 10) (substring text i n) text)
                    v)))))))
(define (float-or-octal text)
  (let loop ((i 0))
    (cond ((= i (string-length text)) (fail "a bad number: " text))
          ((memq (string-ref text i) '(#\. #\e #\E)) (float-node text))
          (else (loop (+ i 1))))))

(define (number-type v decimal suffix text)
  (let* ((s (list->string (map char-downcase (string->list suffix))))
         (unsigned (member s '("u" "ul" "ull" "lu" "llu")))
         (long (member s '("l" "ll" "ul" "ull" "lu" "llu"))))
    (if (not (or unsigned long (string=? s "")))
        (fail "a bad number: " text))
    (cond (in-condition
           (if (or unsigned (i64< v 0)) t-ulong t-long))
          ((and (not long) (not unsigned) (u64< v #x80000000)) t-int)
          ((and (not long) (or unsigned (not decimal)) (u64< v #x100000000))
           t-uint)
          ((and (not unsigned) (not (i64< v 0))) t-long)
          (else t-ulong))))

; v as a value of an integer type.
(define (wrap v type)
  (if (= (type-size type) 8)
      v
      (let ((n (- 64 (* 8 (type-size type)))))
        (if (type-unsigned type)
            (u64-shr (i64-shl v n) n)
            (i64-shr (i64-shl v n) n)))))

; --- Trees ---

; op       a, b, c
; num      the value, or a float's bits
; local    where in the frame         } memory
; global   an object, an offset in it }
; deref    a pointer, an offset       }
; bits     memory, shift and width
; func     an object: its address
; addr     memory: its address
; cast     a value
; neg com  a value
; + - * / % & | ^ << >>  < > <= >= == !=   two values of one type
; && oror  two values
; cond     three
; comma    two, the first one for its effect
; =        memory or bits, a value
; call     a func or a pointer to one, the arguments, where in the frame a
;          result goes that is in memory
; call is #t where registers are lost because something is called.
(fields node op type call a b c)

(define (node op type call a b) (vector op type call a b #f))
(define (num type value) (vector 'num type #f value #f #f))
(define (node1 op type a) (vector op type (node-call a) a #f #f))
(define (node2 op type a b)
  (vector op type (or (node-call a) (node-call b)) a b #f))
(define (retype n type)
  (vector (node-op n) type (node-call n) (node-a n) (node-b n) (node-c n)))

(define (num? n) (eq? (node-op n) 'num))
(define (int-num? n) (and (num? n) (not (float? (node-type n)))))
(define (zero-num? n) (and (int-num? n) (eqv? (node-a n) 0)))
(define (memory? n) (memq (node-op n) '(local global deref)))
(define (place? n) (or (memory? n) (eq? (node-op n) 'bits)))
(define (void? n) (kind? (node-type n) 'void))

(define (local type offset) (node 'local type #f offset #f))

; The memory a pointer points at, as a type.
(define (deref p type)
  (cond ((eq? (node-op p) 'addr) (retype (node-a p) type))
        ((kind? type 'func) (node1 'cast type p))
        ((and (eqv? (node-op p) #\+) (int-num? (node-b p))
              (small? (node-a (node-b p))))
         (node 'deref type (node-call p) (node-a p) (node-a (node-b p))))
        (else (node 'deref type (node-call p) p 0))))
; Whether a number fits the 32 bits of an instruction, with some room.
(define (small? v)
  (and (integer? v) (< -2000000000 v 2000000000)))

(define (address n)
  (let ((p (pointer-to (node-type n))))
    (case (node-op n)
      ((local global) (node 'addr p #f n #f))
      ((deref) (retype (add-offset (node-a n) (node-b n)) p))
      ((bits) (fail "the address of a bit-field"))
      (else
       (if (kind? (node-type n) 'func)
           (node1 'cast p n)
           (fail "the address of something that has none"))))))
(define (add-offset p n)
  (cond ((and (eqv? n 0) (not (place? p))) p)
        ((int-num? p) (num (node-type p) (i64+ (node-a p) n)))
        ((eqv? n 0) (node1 'cast (node-type p) p))
        (else (node2 #\+ (node-type p) p (num t-long n)))))

; The part of a struct from offset on.
(define (part n offset type)
  (case (node-op n)
    ((local) (local type (+ (node-a n) offset)))
    ((global deref)
     (node (node-op n) type (node-call n) (node-a n) (+ (node-b n) offset)))
    (else
     (deref (add-offset (node1 'cast (pointer-to type) n) offset) type))))

(define (member-of n id)
  (if (not (kind? (node-type n) 'struct))
      (fail "ask for member " (tok-text id) " of something without members"))
  (let ((found (find-member (node-type n) id 0)))
    (if (not found) (fail "there is no member " (tok-text id)))
    (bit-part (part n (car found) (member-type (cdr found)))
              (member-bits (cdr found)))))
(define (bit-part n bits)
  (if bits
      (node 'bits (node-type n) (node-call n) n bits)
      n))
; (offset . member) or #f; looks into members without a name.
(define (find-member type id offset)
  (let loop ((members (or (type-ext type)
                          (fail "this struct has not been defined"))))
    (if (null? members)
        #f
        (let ((m (car members)))
          (cond ((eq? (member-id m) id)
                 (cons (+ offset (member-offset m)) m))
                ((and (not (member-id m)) (kind? (member-type m) 'struct)
                      (find-member (member-type m) id
                                   (+ offset (member-offset m)))))
                (else (loop (cdr members))))))))

; As a value: arrays and functions become pointers.
(define (value n)
  (let ((type (node-type n)))
    (case (type-kind type)
      ((array) (retype-pointer (address n) (pointer-to (type-base type))))
      ((func) (node1 'cast (pointer-to type) n))
      ((struct) (size-of type) n)
      (else n))))
(define (retype-pointer p type)
  (if (place? p) (node1 'cast type p) (retype p type)))

(define (promote n)
  (let ((type (node-type n)))
    (cond ((and (eq? (node-op n) 'bits)
                (or (< (cdr (node-b n)) 32)
                    (and (= (cdr (node-b n)) 32) (not (type-unsigned type)))))
           (retype n t-int))
          ((and (int? type) (< (type-size type) 4)) (cast n t-int))
          (else n))))
(define (common-type a b)
  (let ((ta (node-type a)) (tb (node-type b)))
    (cond ((and (float? ta) (float? tb))
           (if (< (type-size ta) (type-size tb)) tb ta))
          ((float? ta) ta)
          ((float? tb) tb)
          ((= (type-size ta) (type-size tb)) (if (type-unsigned ta) ta tb))
          ((< (type-size ta) (type-size tb)) tb)
          (else ta))))

(define (cast n type)
  (let ((from (node-type n)))
    (cond ((and (eq? from type) (not (eq? (node-op n) 'bits))) n)
          ((kind? type 'void) (node1 'cast type n))
          ((or (not (scalar? type)) (not (scalar? from)))
           (fail "a conversion that is not possible"))
          ((or (float? type) (float? from)) (cast-float n type))
          ((type-flag type)
           (if (num? n)
               (num type (if (zero-num? n) 0 1))
               (retype (compare '!= n (num t-int 0)) type)))
          ((num? n) (num type (wrap (node-a n) type)))
          ((and (memory? n) (< (type-size type) (type-size from)))
           (retype n type))
          ((eq? (node-op n) 'addr)
           (if (= (type-size type) 8)
               (retype n type)
               (node1 'cast type n)))
          (else (node1 'cast type n)))))

; To the type of what is assigned, passed, returned.
(define (convert n type)
  (let ((from (node-type n)))
    (cond ((or (kind? type 'struct) (kind? from 'struct))
           (if (not (eq? type from)) (fail "a struct of another type"))
           n)
          ((kind? type 'void) (fail "a value where there can be none"))
          ((kind? from 'void) (fail "there is no value here"))
          (else (cast n type)))))

(define (binary op a b)
  (let ((a (promote (value a))) (b (promote (value b))))
    (case op
      ((#\+ #\-)
       (cond ((kind? (node-type a) 'ptr) (pointer-sum op a b))
             ((and (eqv? op #\+) (kind? (node-type b) 'ptr))
              (pointer-sum op b a))
             (else (arithmetic op a b))))
      ((<< >>)
       (want-int a)
       (want-int b)
       (fold op (node-type a) a b))
      ((#\% #\& #\| #\^)
       (want-int a)
       (want-int b)
       (arithmetic op a b))
      ((#\* #\/) (arithmetic op a b))
      (else (compare op a b)))))
(define (want-int n)
  (if (not (int? (node-type n))) (fail "not an integer")))

(define (arithmetic op a b)
  (if (not (and (arithmetic? (node-type a)) (arithmetic? (node-type b))))
      (fail "not a number"))
  (let* ((type (common-type a b)) (a (cast a type)) (b (cast b type)))
    (if (float? type)
        (float-operation op type a b)
        (fold op type a b))))

(define (pointer-sum op a b)
  (let* ((type (node-type a)) (size (size-of (type-base type))))
    (cond ((kind? (node-type b) 'ptr)
           (if (eqv? op #\+) (fail "a sum of two pointers"))
           (let ((bytes (fold #\- t-long (cast a t-long) (cast b t-long))))
             (if (power-of-2 size)
                 (fold '>> t-long bytes (num t-int (power-of-2 size)))
                 (fold #\/ t-long bytes (num t-long size)))))
          ((not (int? (node-type b))) (fail "not an integer"))
          (else
           (let ((n (fold #\* t-long (cast b t-long) (num t-long size))))
             (fold op type a n))))))

(define (compare op a b)
  (let* ((a (promote (value a))) (b (promote (value b)))
         (ta (node-type a)) (tb (node-type b))
         (type (cond ((kind? ta 'ptr) ta)
                     ((kind? tb 'ptr) tb)
                     (else (common-type a b)))))
    (if (not (and (scalar? ta) (scalar? tb)))
        (fail "a comparison that is not possible"))
    (let ((a (cast a type)) (b (cast b type)))
      (if (float? type)
          (float-compare op type a b)
          (fold op t-int a b)))))

(define (truth n)                        ; 0 or 1 as int
  (compare '!= (value n) (num t-int 0)))

(define opposites '((#\< . >=) (>= . #\<) (#\> . <=) (<= . #\>)
                    (== . !=) (!= . ==)))
(define (negate n)
  (let ((n (value n)))
    (if (memv (node-op n) '(#\< >= #\> <= == !=))
        (retype-op n (cdr (assv (node-op n) opposites)))
        (compare '== n (num t-int 0)))))
(define (retype-op n op)
  (node op (node-type n) (node-call n) (node-a n) (node-b n)))

; An operation on values that have been converted, done now if possible.
(define (fold op type a b)
  (cond ((and (zero-num? b) (memv op '(#\/ #\%)))
         (node2 op type a b))            ; an error only where it is run
        ((and (num? a) (num? b))
         (num type
              (wrap (calculate op (node-a a) (node-a b)
                               (type-unsigned (node-type a)))
                    type)))
        ((and (num? a) (memv op '(#\+ #\* #\& #\| #\^))) (fold op type b a))
        ((and (zero-num? b) (memv op '(#\+ #\- << >> #\| #\^))
              (not (place? a)))
         (retype a type))
        ((and (num? b) (eqv? op #\-)
              (not (i64= (node-a b) (i64-shl 1 63))))
         (fold #\+ type a (num (node-type b) (wrap (i64- 0 (node-a b))
                                                   (node-type b)))))
        ((and (num? b) (eqv? op #\*) (power-of-2 (node-a b)))
         (let ((n (power-of-2 (node-a b))))
           (if (= n 0) (retype-value a type)
               (fold '<< type a (num t-int n)))))
        ((and (num? b) (eqv? op #\/) (eqv? (node-a b) 1))
         (retype-value a type))
        ((and (num? b) (eqv? op #\/) (type-unsigned type)
              (power-of-2 (node-a b)))
         (fold '>> type a (num t-int (power-of-2 (node-a b)))))
        ((and (num? b) (eqv? op #\%) (type-unsigned type)
              (power-of-2 (node-a b)))
         (fold #\& type a (num type (i64- (node-a b) 1))))
        ((and (eqv? op #\+) (num? b) (eq? (node-op a) 'addr)
              (small? (node-a b)))
         (node 'addr type #f
               (part (node-a a) (node-a b) (node-type (node-a a))) #f))
        ((and (eqv? op #\+) (num? b) (eqv? (node-op a) #\+)
              (int-num? (node-b a)) (= (type-size type) 8))
         (fold #\+ type (node-a a)
               (num t-long (i64+ (node-a b) (node-a (node-b a))))))
        ((and (eqv? op #\-) (eq? (node-op a) 'addr) (eq? (node-op b) 'addr)
              (eq? (node-op (node-a a)) 'global)
              (eq? (node-op (node-a b)) 'global)
              (eq? (node-a (node-a a)) (node-a (node-a b))))
         (num type (- (node-b (node-a a)) (node-b (node-a b)))))
        (else (node2 op type a b))))
(define (retype-value n type)
  (if (place? n) (node1 'cast type n) (retype n type)))

; The logarithm of a power of 2, or #f.
(define (power-of-2 v)
  (let loop ((n 0))
    (cond ((= n 63) #f)
          ((i64= v (i64-shl 1 n)) n)
          (else (loop (+ n 1))))))

(define (calculate op a b unsigned)
  (define (bool x) (if x 1 0))
  (define (less a b) (if unsigned (u64< a b) (i64< a b)))
  (case op
    ((#\+) (i64+ a b))
    ((#\-) (i64- a b))
    ((#\*) (i64* a b))
    ((#\/) (if unsigned (u64-quotient a b) (i64-quotient a b)))
    ((#\%) (if unsigned (u64-remainder a b) (i64-remainder a b)))
    ((#\&) (i64-and a b))
    ((#\|) (i64-or a b))
    ((#\^) (i64-xor a b))
    ((<<) (i64-shl a (shift-count b)))
    ((>>) (if unsigned
              (u64-shr a (shift-count b))
              (i64-shr a (shift-count b))))
    ((==) (bool (i64= a b)))
    ((!=) (bool (not (i64= a b))))
    ((#\<) (bool (less a b)))
    ((#\>) (bool (less b a)))
    ((<=) (bool (not (less b a))))
    ((>=) (bool (not (less a b))))
    (else (fail "an operator out of place"))))
(define (shift-count n)
  (if (or (not (integer? n)) (< n 0) (> n 63)) (fail "a shift too far") n))

(define (negative n)
  (let ((n (promote (value n))))
    (cond ((float? (node-type n)) (float-negative n))
          ((not (int? (node-type n))) (fail "not a number"))
          ((num? n)
           (num (node-type n) (wrap (i64- 0 (node-a n)) (node-type n))))
          (else (node1 'neg (node-type n) n)))))
(define (complement n)
  (let ((n (promote (value n))))
    (want-int n)
    (if (num? n)
        (num (node-type n) (wrap (i64-xor -1 (node-a n)) (node-type n)))
        (node1 'com (node-type n) n))))

; a && b, a || b
(define (logical op a b)
  (let ((a (truth a)) (b (truth b)))
    (cond ((not (num? a)) (node2 op t-int a b))
          ((eq? (eq? op '&&) (eqv? (node-a a) 0)) a)
          (else b))))

(define (conditional test a b)
  (let* ((test (truth test)) (a (value a)) (b (value b))
         (ta (node-type a)) (tb (node-type b))
         (type (cond ((and (arithmetic? ta) (arithmetic? tb))
                      (common-type (promote a) (promote b)))
                     ((eq? ta tb) ta)
                     ((or (void? a) (void? b)) t-void)
                     ((not (and (scalar? ta) (scalar? tb)))
                      (fail "the two sides of : do not fit"))
                     ((not (kind? ta 'ptr)) tb)
                     ((not (kind? tb 'ptr)) ta)
                     ((zero-num? a) tb)
                     ((zero-num? b) ta)
                     ((kind? (type-base tb) 'void) tb)
                     (else ta)))
         (a (if (arithmetic? type) (cast (promote a) type) a))
         (b (if (arithmetic? type) (cast (promote b) type) b)))
    (if (num? test)
        (let ((n (if (eqv? (node-a test) 0) b a)))
          (if (scalar? type) (cast n type) n))
        (vector 'cond type
                (or (node-call test) (node-call a) (node-call b))
                test a b))))

(define (comma a b)
  (if (and (num? a) (num? b))
      b
      (node2 'comma (node-type b) a b)))

; --- Assignments ---

(define (assign place n)
  (let ((type (node-type place)))
    (if (not (place? place))
        (fail "an assignment to something without a place"))
    (if (memq (type-kind type) '(array func void))
        (fail "an assignment to an array or a function"))
    (let ((n (convert (value n) type)))
      (vector '= type
              (or (node-call place) (node-call n)
                  (and (aggregate? type) (> (type-size type) inline-copy)))
              place n #f))))

; Calls proc with place, or, where it would be wrong or slow to work it out
; twice, with another name for it.
(define (with-place place proc)
  (let ((memory (if (eq? (node-op place) 'bits) (node-a place) place)))
    (cond ((not (place? place)) (fail "something without a place"))
          ((or (not (eq? (node-op memory) 'deref))
               (memq (node-op (node-a memory)) '(local global addr num)))
           (proc place))
          (else
           (let* ((p (pointer-to (node-type memory)))
                  (temp (local p (allocate 8 8))))
             (comma (assign temp (address memory))
                    (proc (bit-part (deref temp (node-type memory))
                                    (and (eq? (node-op place) 'bits)
                                         (node-b place))))))))))

(define (assign-operation op place n)
  (with-place place
    (lambda (place)
      (assign place (binary op place n)))))

; place++ and place--
(define (post-step op place)
  (let ((type (node-type place)) (one (num t-int 1)))
    (if (or (eq? (node-op place) 'bits) (float? type) (type-flag type))
        (with-place place
          (lambda (place)
            (let ((old (local type (allocate (type-size type) 8))))
              (comma (assign old place)
                     (comma (assign place (binary op old one)) old)))))
        (cast (binary (if (eqv? op #\+) #\- #\+)
                      (assign-operation op place one)
                      one)
              type))))

; --- Calls ---

(define (call fn args)
  (let* ((type (node-type fn))
         (type (if (kind? type 'ptr) (type-base type) type)))
    (if (not (kind? type 'func)) (fail "a call of something else"))
    (let ((result (type-base type)))
      (vector 'call result #t
              (if (eq? (node-op fn) 'func) fn (value fn))
              (call-args args (type-ext type) (type-flag type))
              (and (aggregate? result)
                   (allocate (size-of result) (type-align result)))))))
(define (call-args args params rest)
  (cond ((null? args)
         (if (pair? params) (fail "too few arguments"))
         '())
        ((pair? params)
         (cons (convert (value (car args)) (car params))
               (call-args (cdr args) (cdr params) rest)))
        ((and params (not rest)) (fail "too many arguments"))
        (else
         (cons (promote-arg (value (car args)))
               (call-args (cdr args) params rest)))))
(define (promote-arg n)
  (let ((n (promote n)))
    (if (void? n) (fail "there is no value here"))
    (if (eq? (node-type n) t-float) (cast n t-double) n)))
