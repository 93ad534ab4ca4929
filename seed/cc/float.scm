; SPDX-License-Identifier: MIT
; cc: floating point. Constants are worked out here, exactly; everything else
; is done by functions of the runtime library, seed/cc/float.c.
;
; The value of a tree num that is a float is its bits; that of a long double
; is (mantissa . sign and exponent).

; --- Large numbers: lists of digits to base 2^24, the low ones first ---

(define big-base 16777216)
(define (big a)                          ; from an unsigned number of 64 bits
  (if (i64= a 0)
      '()
      (cons (i64-and a (- big-base 1)) (big (u64-shr a 24)))))
; a * n + c
(define (big-times a n c)
  (if (null? a)
      (if (= c 0) '() (cons c '()))
      (let ((sum (+ (* (car a) n) c)))
        (cons (remainder sum big-base)
              (big-times (cdr a) n (quotient sum big-base))))))
(define (big-power a n k)                ; a * n^k
  (if (= k 0) a (big-power (big-times a n 0) n (- k 1))))
; -1, 0 or 1
(define (big-compare a b)
  (cond ((null? a) (if (null? b) 0 -1))
        ((null? b) 1)
        (else
         (let ((high (big-compare (cdr a) (cdr b))))
           (cond ((not (= high 0)) high)
                 ((< (car a) (car b)) -1)
                 ((> (car a) (car b)) 1)
                 (else 0))))))
(define (big-minus a b borrow)           ; a - b - borrow, not less than 0
  (if (null? a)
      '()
      (let* ((d (- (car a) (if (null? b) 0 (car b)) borrow))
             (rest (big-minus (cdr a) (if (null? b) '() (cdr b))
                              (if (< d 0) 1 0)))
             (d (if (< d 0) (+ d big-base) d)))
        (if (and (= d 0) (null? rest)) '() (cons d rest)))))

; --- Encodings ---

; Bits of the mantissa, and the largest exponent.
(define (float-precision type)
  (case (type-size type) ((4) 24) ((8) 53) (else 64)))
(define (float-bias type)
  (case (type-size type) ((4) 127) ((8) 1023) (else 16383)))

; The number n / d * 2^e, rounded to a type.
(define (float-encode negative n d e type)
  (cond ((null? n) (float-pack negative 0 0 type))
        ((< (big-compare n d) 0)
         (float-encode negative (big-times n 2 0) d (- e 1) type))
        ((>= (big-compare n (big-times d 2 0)) 0)
         (float-encode negative n (big-times d 2 0) (+ e 1) type))
        (else
         (let* ((precision (float-precision type))
                (least (- 1 (float-bias type)))
                (bits (if (< e least) (- precision (- least e)) precision)))
           (if (< bits 0)
               (float-pack negative 0 0 type)
               (float-round negative n d (max e least) bits type))))))
(define (float-round negative n d e bits type)
  (let loop ((i 0) (m 0) (n n))
    (let ((order (big-compare n d)))
      (cond ((< i bits)
             (loop (+ i 1)
                   (i64+ (i64* m 2) (if (< order 0) 0 1))
                   (big-times (if (< order 0) n (big-minus n d 0)) 2 0)))
            ((or (> order 0)
                 (and (= order 0) (= (i64-and m 1) 1)))
             (let* ((m (i64+ m 1))
                    (full (if (= bits (float-precision type))
                              (i64-shl 1 (- bits 1))
                              0)))
               (if (i64= m (i64* full 2))
                   (float-pack negative full (+ e 1) type)
                   (float-pack negative m e type))))
            (else (float-pack negative m e type))))))
; m: the mantissa with its first bit; without that bit, a small number.
(define (float-pack negative m e type)
  (let* ((top (- (float-precision type) 1))
         (normal (not (i64= (u64-shr m top) 0)))
         (bias (float-bias type))
         (infinite (> e bias))
         (m (if infinite (i64-shl 1 top) m))
         (biased (cond (infinite (+ bias bias 1)) (normal (+ e bias)) (else 0)))
         (sign (if negative 1 0)))
    (if (= top 63)
        (cons m (+ (* sign 32768) biased))
        (i64+ (i64-shl sign (- (* 8 (type-size type)) 1))
              (i64+ (i64-shl biased top)
                    (if normal (i64- m (i64-shl 1 top)) m))))))

; Calls proc with whether the number is negative, its mantissa as an integer,
; and the exponent of that integer.
(define (float-decode bits type proc)
  (let* ((top (- (float-precision type) 1))
         (word (if (= top 63) (cdr bits) (u64-shr bits top)))
         (width (if (= top 63) 15 (- (* 8 (type-size type)) 1 top)))
         (biased (i64-and word (- (i64-shl 1 width) 1)))
         (m (cond ((= top 63) (car bits))
                  (else
                   (i64+ (i64-and bits (i64- (i64-shl 1 top) 1))
                         (if (= biased 0) 0 (i64-shl 1 top)))))))
    (proc (not (= (i64-and (u64-shr word width) 1) 0))
          m
          (- (max biased 1) (float-bias type) top))))

; --- Constants ---

(define (float-node text)
  (let* ((n (string-length text))
         (last (char-downcase (string-ref text (- n 1))))
         (hex (and (> n 1) (memq (string-ref text 1) '(#\x #\X)) #t))
         (type (cond ((char=? last #\l) t-ldouble)
                     ((and (char=? last #\f)
                           (or (not hex) (string-index-p text)))
                      t-float)
                     (else t-double)))
         (end (if (eq? type t-double) n (- n 1)))
         (base (if hex 16 10)))
    (let loop ((i (if hex 2 0)) (m '()) (scale 0) (dot #f))
      (let ((c (if (< i end) (string-ref text i) #\p)))
        (cond ((< (digit c) base)
               (loop (+ i 1) (big-times m base (digit c))
                     (if dot (- scale 1) scale) dot))
              ((and (char=? c #\.) (not dot)) (loop (+ i 1) m scale #t))
              (else
               (let ((e (if (< i end) (exponent text (+ i 1) end) 0)))
                 (num type
                      (if hex
                          (float-encode #f m '(1) (+ (* 4 scale) e) type)
                          (decimal-float m (+ scale e) type))))))))))
(define (string-index-p text)
  (let loop ((i 0))
    (and (< i (string-length text))
         (or (memq (string-ref text i) '(#\p #\P)) (loop (+ i 1))))))
(define (exponent text start end)
  (let* ((sign (string-ref text start))
         (from (if (memq sign '(#\+ #\-)) (+ start 1) start)))
    (let loop ((i from) (n 0))
      (cond ((and (= i end) (> i from)) (if (char=? sign #\-) (- n) n))
            ((or (= i end) (> (digit (string-ref text i)) 9) (> n 100000))
             (fail "a bad number: " text))
            (else (loop (+ i 1) (+ (* n 10) (digit (string-ref text i)))))))))
(define (decimal-float m e type)
  (cond ((null? m) (float-pack #f 0 0 type))
        ((or (> e 6000) (< e -12000)) (fail "a float out of range"))
        ((< e 0) (float-encode #f m (big-power '(1) 10 (- e)) 0 type))
        (else (float-encode #f (big-power m 10 e) '(1) 0 type))))

(define (integer->float v unsigned type)
  (let ((negative (and (not unsigned) (i64< v 0))))
    (float-encode negative (big (if negative (i64- 0 v) v)) '(1) 0 type)))
(define (float->integer bits type)
  (float-decode bits type
    (lambda (negative m e)
      (let ((v (cond ((>= e 64) (fail "a float that is no integer"))
                     ((>= e 0) (i64-shl m e))
                     ((> e -64) (u64-shr m (- e)))
                     (else 0))))
        (if negative (i64- 0 v) v)))))

; --- Operations ---

; A call of a function of the runtime library.
(define (runtime name result . args)
  (let* ((type (function-type result (map (lambda (n) (node-type n)) args) #f))
         (obj (linked-obj (intern name) 'func type #f)))
    (use-obj obj)
    (call (node 'func type #f obj #f) args)))

(define (cast-float n type)
  (let ((from (node-type n)))
    (cond
      ((and (int? type) (type-flag type)) (truth n))
      ((num? n)
       (num type
            (cond ((int? from)
                   (integer->float (node-a n) (type-unsigned from) type))
                  ((int? type) (wrap (float->integer (node-a n) from) type))
                  (else
                   (float-decode (node-a n) from
                     (lambda (negative m e)
                       (float-encode negative (big m) '(1) e type)))))))
      ((eq? from t-ldouble)
       (cond ((eq? type t-float) (runtime "__cc_l_f" type n))
             ((eq? type t-double) (runtime "__cc_l_d" type n))
             ((eq? type t-ulong) (runtime "__cc_l_u" type n))
             ((int? type) (cast (runtime "__cc_l_i" t-long n) type))
             (else (fail "a conversion that is not possible"))))
      ((eq? type t-ldouble)
       (cond ((eq? from t-float) (runtime "__cc_f_l" type n))
             ((eq? from t-double) (runtime "__cc_d_l" type n))
             ((eq? from t-ulong) (runtime "__cc_u_l" type n))
             ((int? from) (runtime "__cc_i_l" type (cast n t-long)))
             (else (fail "a conversion that is not possible"))))
      (else (cast (cast n t-ldouble) type)))))

(define (float-operation op type a b)
  (cond ((eq? type t-float)              ; exact enough in double
         (cast (float-operation op t-double (cast a t-double)
                                (cast b t-double))
               t-float))
        (else
         (runtime (string-append
                    (case op
                      ((#\+) "__cc_add") ((#\-) "__cc_sub")
                      ((#\*) "__cc_mul") (else "__cc_div"))
                    (if (eq? type t-double) "_d" "_l"))
                  type a b))))

(define (float-compare op type a b)
  (if (eq? type t-ldouble)
      (case op                           ; -1, 0, 1, or 2 if there is a NaN
        ((#\>) (float-compare #\< type b a))
        ((>=) (float-compare '<= type b a))
        (else (fold op t-int (runtime "__cc_cmp" t-int a b) (num t-int 0))))
      (float-compare op t-ldouble (cast a t-ldouble) (cast b t-ldouble))))

(define (float-negative n)
  (let ((type (node-type n)))
    (cond ((num? n)
           (num type
                (if (pair? (node-a n))
                    (cons (car (node-a n))
                          (i64-xor (cdr (node-a n)) 32768))
                    (i64-xor (node-a n)
                             (i64-shl 1 (- (* 8 (type-size type)) 1))))))
          ((eq? type t-ldouble)
           (runtime "__cc_sub_l" type (num type (cons 0 32768)) n))
          (else
           (node2 #\^ type n
                  (num t-ulong (i64-shl 1 (- (* 8 (type-size type)) 1))))))))
