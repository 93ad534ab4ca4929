; SPDX-License-Identifier: MIT
; Special forms and the prelude's macros.
(t 'a)                                          ;=> a
(t '())                                         ;=> ()
(t "text")                                      ;=> "text"
(t #\a)                                         ;=> #\a
(t '#(1 (2) "x"))                               ;=> #(1 (2) "x")
(t #(1 2))                                      ;=> #(1 2)
(t (if #t 1 2))                                 ;=> 1
(t (if #f 1 2))                                 ;=> 2
(t (if '() 1 2))                                ;=> 1
(t (if 0 1 2))                                  ;=> 1
(t (eq? (if #f #f) (if #f #f)))                 ;=> #t

; define and set!
(define x 28)
(t x)                                           ;=> 28
(set! x (+ x 1))
(t x)                                           ;=> 29
(define (f a) (* a 2))
(t (f 21))                                      ;=> 42
(define (g . rest) rest)
(t (g))                                         ;=> ()
(t (g 1 2 3))                                   ;=> (1 2 3)
(define (h a b . rest) (list a b rest))
(t (h 1 2))                                     ;=> (1 2 ())
(t (h 1 2 3 4 5 6))                             ;=> (1 2 (3 4 5 6))
(t ((lambda args args) 1 2))                    ;=> (1 2)
(t ((lambda (a b c d e f) (list f e d c b a)) 1 2 3 4 5 6)) ;=> (6 5 4 3 2 1)
(t ((lambda (a b c d e . f) (list e f)) 1 2 3 4 5 6 7))     ;=> (5 (6 7))
(begin (define in-begin 1) (define (in-begin2) in-begin))
(t (in-begin2))                                 ;=> 1

; closures keep and share their variables
(define (counter)
  (let ((n 0)) (lambda () (set! n (+ n 1)) n)))
(define c1 (counter))
(define c2 (counter))
(t (list (begin (c1) (c1)) (c2)))               ;=> (2 1)
(define (make-pair a)
  (cons (lambda () a) (lambda (v) (set! a v))))
(define p (make-pair 1))
((cdr p) 7)
(t ((car p)))                                   ;=> 7
(define (deep a) (lambda (b) (lambda (c) (lambda (d) (list a b c d)))))
(t ((((deep 1) 2) 3) 4))                        ;=> (1 2 3 4)
(define (deep-set a)
  (lambda () (lambda () (lambda () (set! a (+ a 1)) a))))
(t ((((deep-set 5)))))                          ;=> 6

; let and its relatives
(t (let ((x 2) (y 3)) (* x y)))                 ;=> 6
(t (let ((x 2) (y 3)) (let ((x 7) (z (+ x y))) (* z x))))   ;=> 35
(t (let ((x 2) (y 3)) (let* ((x 7) (z (+ x y))) (* z x))))  ;=> 70
(t (let () 5))                                  ;=> 5
(t (let* () 5))                                 ;=> 5
(t (letrec ((even? (lambda (n) (if (zero? n) #t (odd? (- n 1)))))
            (odd? (lambda (n) (if (zero? n) #f (even? (- n 1))))))
     (even? 88)))                               ;=> #t
(t (letrec* ((a 1) (b (+ a 1))) (list a b)))    ;=> (1 2)
(t (let ((a 1) (b (let ((c 2)) (let ((d 3)) (+ c d))))) (list a b))) ;=> (1 5)
(t (let ((x 1)) (define y 2) (define (f) (+ x y)) (f))) ;=> 3
(define (shadow car) (car 1))
(t (shadow (lambda (x) (+ x 1))))               ;=> 2
(define (shadow-syntax if) (if 1 2 3))
(t (shadow-syntax list))                        ;=> (1 2 3)
(define (siblings)
  (let* ((f (let ((a 1)) (lambda () a)))
         (g (let ((b 2)) (lambda () b))))
    (list (f) (g))))
(t (siblings))                                  ;=> (1 2)
(define (reuse n)
  (+ (let ((a n) (b 1)) (+ a b)) (let ((c n) (d 2) (e 3)) (+ c d e))))
(t (reuse 10))                                  ;=> 26

; internal definitions
(define (internal x)
  (define a 1)
  (define (b y) (if (= y 0) a (c (- y 1))))
  (define (c y) (+ 1 (b y)))
  (b x))
(t (internal 5))                                ;=> 6
(define (internal-begin)
  (begin (define a 1) (define b 2))
  (list a b))
(t (internal-begin))                            ;=> (1 2)
(define (internal-values)
  (define-values (a . b) (values 1 2 3))
  (list a b))
(t (internal-values))                           ;=> (1 (2 3))
(define (redefine x) (define x 2) x)
(t (redefine 1))                                ;=> 2

; and, or, cond, case, when, unless
(t (and))                                       ;=> #t
(t (and 1 2 'c '(f g)))                         ;=> (f g)
(t (and 1 #f 2))                                ;=> #f
(t (or))                                        ;=> #f
(t (or #f 2 (car '())))                         ;=> 2
(t (or #f #f))                                  ;=> #f
(t (cond ((> 3 2) 'greater) ((< 3 2) 'less)))   ;=> greater
(t (cond ((> 3 3) 'greater) ((< 3 3) 'less) (else 'equal))) ;=> equal
(t (cond ((assv 'b '((a 1) (b 2))) => cadr) (else #f)))     ;=> 2
(t (cond (#f 1) (5)))                           ;=> 5
(t (cond ((= 1 1) 1 2 3)))                      ;=> 3
(t (case (* 2 3) ((2 3 5 7) 'prime) ((1 4 6 8 9) 'composite))) ;=> composite
(t (case (car '(c d)) ((a e i o u) 'vowel) ((w y) 'semivowel) (else 'consonant)))
;=> consonant
(t (case #\b ((#\a) 1) ((#\b #\c) 2)))          ;=> 2
(t (case '() ((()) 'nil) (else 'no)))           ;=> nil
(t (case #f ((#t) 1) ((#f) 2)))                 ;=> 2
(t (case 5 (else 1 2)))                         ;=> 2
(t (case "a" (("a") 1) (else 2)))               ;=> 2
(t (when #t 1 2))                               ;=> 2
(t (unless #f 1 2))                             ;=> 2
(t (let ((n 0)) (when #f (set! n 1)) (unless #t (set! n 2)) n)) ;=> 0

; loops
(t (let loop ((i 0) (acc '())) (if (= i 4) acc (loop (+ i 1) (cons i acc)))))
;=> (3 2 1 0)
(t (let loop ((i 5)) (if (= i 0) '() (cons i (loop (- i 1))))))
;=> (5 4 3 2 1)
(t (+ 1 (let loop ((i 0)) (if (< i 10) (loop (+ i 1)) i))))    ;=> 11
(t (let loop ((i 0)) (cond ((= i 3) 'done) (else (loop (+ i 1))))))
;=> done
(t (do ((vec (make-vector 5)) (i 0 (+ i 1))) ((= i 5) vec) (vector-set! vec i i)))
;=> #(0 1 2 3 4)
(t (let ((x '(1 3 5 7 9)))
     (do ((x x (cdr x)) (sum 0 (+ sum (car x)))) ((null? x) sum)))) ;=> 25
(t (do ((i 0 (+ i 1))) ((= i 3))) 'end)         ;=> end
(t (map (lambda (f) (f))
        (let loop ((i 0) (l '()))
          (if (= i 3) l (loop (+ i 1) (cons (lambda () i) l)))))) ;=> (2 1 0)
(t (map (lambda (f) (f))
        (do ((i 0 (+ i 1)) (l '() (cons (lambda () i) l))) ((= i 3) l))))
;=> (2 1 0)
(define (nested n)
  (let outer ((i 0) (sum 0))
    (if (= i n)
        sum
        (outer (+ i 1)
               (let inner ((j 0) (sum sum))
                 (if (= j n) sum (inner (+ j 1) (+ sum (* i j)))))))))
(t (nested 4))                                  ;=> 36
(define (continue n)                 ; a jump out of an inner loop
  (let outer ((i 0) (acc '()))
    (if (= i n)
        acc
        (let inner ((j 0))
          (if (= j i) (outer (+ i 1) (cons (* 10 i) acc)) (inner (+ j 1)))))))
(t (continue 4))                                ;=> (30 20 10 0)
(define (escape n)                   ; and one that is no tail call
  (let outer ((i 0))
    (if (= i n) 0 (+ 1 (let inner ((j 0)) (if (= j 2) (outer (+ i 1)) (inner (+ j 1))))))))
(t (escape 5))                                  ;=> 5
(t (let loop ((a 1) (b 2) (n 0)) (if (= n 3) (list a b) (loop b a (+ n 1)))))
;=> (2 1)
(t (let loop ((a 1) (b 2) (c 3) (d 4) (e 5))
     (if (= a 4) (list a b c d e) (loop (+ a 1) c d e b))))    ;=> (4 5 2 3 4)
(t (let f ((g (lambda (x) x))) (g 5)))          ;=> 5
(t (let loop ((i 0)) (let ((k i)) (if (< k 3) (loop (+ k 1)) k)))) ;=> 3
(define (as-value) (let loop ((i 0)) (if (< i 3) (loop (+ i 1)) (procedure? loop))))
(t (as-value))                                  ;=> #t
(define (assigned) (let loop ((i 0)) (if (< i 3) (begin (set! i (+ i 1)) (loop i)) i)))
(t (assigned))                                  ;=> 3

; quasiquote
(t `(list ,(+ 1 2) 4))                          ;=> (list 3 4)
(t (let ((name 'a)) `(list ,name ',name)))      ;=> (list a (quote a))
(t `(a ,(+ 1 2) ,@(map abs '(4 -5 6)) b))       ;=> (a 3 4 5 6 b)
(t `((foo ,(- 10 3)) ,@(cdr '(c)) . ,(car '(cons))))        ;=> ((foo 7) . cons)
(t `#(10 5 ,(square 2) ,@(map square '(4 3)) 8)) ;=> #(10 5 4 16 9 8)
(t `(1 . ,(+ 1 1)))                             ;=> (1 . 2)
(t `,@'(1))                                     ;=> (unquote-splicing (quote (1)))
(t `(a `(b ,(c ,(+ 1 2)))))
;=> (a (quasiquote (b (unquote (c 3)))))
(t (let ((name1 'x) (name2 'y)) `(a `(b ,,name1 ,',name2 d) e)))
;=> (a (quasiquote (b (unquote x) (unquote (quote y)) d)) e)
(t `(1 `,@(2 ,@(list 3))))
;=> (1 (quasiquote (unquote-splicing (2 3))))
(t (let ((list '(1)) (cons 2)) `(,@list ,cons x))) ;=> (1 2 x)

; macros
(define-macro (swap! a b)
  (let ((tmp (gensym)))
    `(let ((,tmp ,a)) (set! ,a ,b) (set! ,b ,tmp))))
(t (let ((x 1) (y 2)) (swap! x y) (list x y)))  ;=> (2 1)
(define-macro (while test . body)
  (let ((loop (gensym)))
    `(let ,loop () (when ,test ,@body (,loop)))))
(t (let ((i 0)) (while (< i 3) (set! i (+ i 1))) i)) ;=> 3
(define-macro (define-twice name value) `(begin (define ,name ,value) (set! ,name (* 2 ,name))))
(define-twice twice 4)
(t twice)                                       ;=> 8
(t (let () (define-twice local 5) local))       ;=> 10
(define-macro five (lambda () 5))
(t (five))                                      ;=> 5
(define-macro (was-macro x) 'macro)
(define (was-macro x) 'procedure)
(t (was-macro 1))                               ;=> procedure
(t (let ((cond list) (x 1)) (cond x 2)))        ;=> (1 2)

; redefining primitives changes code that is compiled already
(define (first-of x) (car x))
(define (sum x y) (+ x y))
(define (sum3 x y z) (+ x y z))
(t (list (first-of '(1)) (sum 1 2) (sum3 1 2 3)))  ;=> (1 3 6)
(define old-car car)
(define old+ +)
(set! car (lambda (x) 'mine))
(define (+ . args) 'plus)
(t (list (first-of '(1)) (sum 1 2) (sum3 1 2 3)))  ;=> (mine plus plus)
(set! car old-car)
(set! + old+)
(t (list (first-of '(1)) (sum 1 2)))            ;=> (1 3)

; several values
(t (call-with-values (lambda () (values 4 5)) (lambda (a b) b))) ;=> 5
(t (call-with-values * -))                      ;=> -1
(t (call-with-values (lambda () (values)) list)) ;=> ()
(t (call-with-values (lambda () (values 1 2 3 4 5 6)) list)) ;=> (1 2 3 4 5 6)
(t (values 1))                                  ;=> 1
(t (receive (a . rest) (values 1 2 3) (list a rest)))       ;=> (1 (2 3))
(t (let-values (((root rem) (exact-integer-sqrt 32))) (* root rem))) ;=> 35
(t (let ((a 'a) (b 'b) (x 'x) (y 'y))
     (let-values (((a b) (values x y)) ((x y) (values a b))) (list a b x y))))
;=> (x y a b)
(t (let ((a 'a) (b 'b) (x 'x) (y 'y))
     (let*-values (((a b) (values x y)) ((x y) (values a b))) (list a b x y))))
;=> (x y x y)
(define-values (v1 v2) (exact-integer-sqrt 17))
(t (list v1 v2))                                ;=> (4 1)
(define-values all (values 1 2))
(t all)                                         ;=> (1 2)

; case-lambda and records
(define range
  (case-lambda
    ((e) (range 0 e))
    ((b e) (if (>= b e) '() (cons b (range (+ b 1) e))))
    ((b e . more) (list b e more))))
(t (range 3))                                   ;=> (0 1 2)
(t (range 3 5))                                 ;=> (3 4)
(t (range 1 2 3))                               ;=> (1 2 (3))
(define-record-type pare (kons x y) pare? (x kar set-kar!) (y kdr))
(t (pare? (kons 1 2)))                          ;=> #t
(t (pare? (cons 1 2)))                          ;=> #f
(t (kar (kons 1 2)))                            ;=> 1
(t (let ((k (kons 1 2))) (set-kar! k 3) (list (kar k) (kdr k)))) ;=> (3 2)
(define-record-type <node> (make-node value) node? (left left set-left!) (value value))
(t (let ((n (make-node 5))) (list (left n) (value n))))     ;=> (#f 5)
(t (let ((n (make-node 5))) (set-left! n n) (eq? n (left (left n))))) ;=> #t
(t (make-node 1))                               ;=> #<<node>>
(t (list (pare? (make-node 1)) (node? (make-node 1))))      ;=> (#f #t)
(t (assert (= 1 1)))                            ;=> #t
(t (eval '(* 7 3)))                             ;=> 21
(t (eval '(begin (define from-eval 1) (let loop ((i 0)) (if (< i 3) (loop (+ i 1)) i))))) ;=> 3
(t from-eval)                                   ;=> 1
