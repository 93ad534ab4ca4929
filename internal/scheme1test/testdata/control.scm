; SPDX-License-Identifier: MIT
; Continuations, tail calls, deep recursion, the collector at work.
(t (call/cc (lambda (k) (+ 1 (k 42)))))         ;=> 42
(t (call-with-current-continuation procedure?)) ;=> #t
(t (+ 1 (call/cc (lambda (k) 10))))             ;=> 11
(t (call/cc (lambda (exit) (for-each (lambda (x) (if (negative? x) (exit x))) '(54 0 37 -3 245 19)) #t)))
;=> -3
(define (list-length obj)
  (call/cc
   (lambda (return)
     (letrec ((r (lambda (obj)
                   (cond ((null? obj) 0)
                         ((pair? obj) (+ (r (cdr obj)) 1))
                         (else (return #f))))))
       (r obj)))))
(t (list-length '(1 2 3 4)))                    ;=> 4
(t (list-length '(a b . c)))                    ;=> #f
(t (call-with-values (lambda () (call/cc (lambda (k) (k 1 2 3)))) list)) ;=> (1 2 3)
(define again #f)
(define times 0)
(define (re-enter)
  (let ((x (+ 100 (call/cc (lambda (k) (set! again k) 0)))))
    (set! times (+ times 1))
    (if (< times 4) (again times) x)))
(t (re-enter))                                  ;=> 103
(define (generate tree)                         ; a coroutine
  (define return #f)
  (define (walk tree)
    (cond ((null? tree) 'end)
          ((pair? tree) (walk (car tree)) (walk (cdr tree)))
          (else (call/cc (lambda (rest)
                           (set! resume (lambda () (rest 'go)))
                           (return tree))))))
  (define (resume) (walk tree) (return 'done))
  (lambda () (call/cc (lambda (k) (set! return k) (resume)))))
(define next (generate '((1 2) (3 (4)) 5)))
(t (let loop ((l '())) (let ((x (next))) (if (eq? x 'done) (reverse l) (loop (cons x l))))))
;=> (1 2 3 4 5)
(t (let ((path '()) (c #f))
     (let ((add (lambda (s) (set! path (cons s path)))))
       (dynamic-wind (lambda () (add 'connect))
                     (lambda () (add (call/cc (lambda (c0) (set! c c0) 'talk1))))
                     (lambda () (add 'disconnect)))
       (if (< (length path) 4) (c 'talk2) (reverse path)))))
;=> (connect talk1 disconnect connect talk2 disconnect)
(t (let ((n 0)) (call/cc (lambda (k) (dynamic-wind (lambda () (set! n (+ n 1))) (lambda () (k 1)) (lambda () (set! n (+ n 10)))))) n))
;=> 11
(t (call-with-values (lambda () (dynamic-wind list (lambda () (values 1 2)) list)) list)) ;=> (1 2)

; tail calls: none of these may use the stack
(define n 300000)
(define (even1? n) (if (= n 0) #t (odd1? (- n 1))))
(define (odd1? n) (if (= n 0) #f (even1? (- n 1))))
(t (even1? n))                                  ;=> #t
(define (tail-cond n) (cond ((= n 0) 'ok) ((< n 0) 'no) (else (tail-cond (- n 1)))))
(t (tail-cond n))                               ;=> ok
(define (tail-case n) (case n ((0) 'ok) (else (tail-case (- n 1)))))
(t (tail-case n))                               ;=> ok
(define (tail-and n) (and #t (or #f (if (= n 0) 'ok (tail-and (- n 1))))))
(t (tail-and n))                                ;=> ok
(define (tail-when n) (when #t (unless #f (begin 1 (if (= n 0) 'ok (tail-when (- n 1)))))))
(t (tail-when n))                               ;=> ok
(define (tail-let n) (let ((m n)) (let* ((k m)) (letrec ((j k)) (if (= j 0) 'ok (tail-let (- j 1)))))))
(t (tail-let n))                                ;=> ok
(define (tail-do n) (do () (#t (if (= n 0) 'ok (tail-do (- n 1))))))
(t (tail-do n))                                 ;=> ok
(define (tail-loop n) (let loop ((i 0)) (if (< i 2) (loop (+ i 1)) (if (= n 0) 'ok (tail-loop (- n 1))))))
(t (tail-loop n))                               ;=> ok
(define (tail-apply n) (if (= n 0) 'ok (apply tail-apply (list (- n 1)))))
(t (tail-apply n))                              ;=> ok
(define (tail-values n) (if (= n 0) 'ok (call-with-values (lambda () (values (- n 1))) tail-values)))
(t (tail-values n))                             ;=> ok
(define (tail-cc n) (if (= n 0) 'ok (call/cc (lambda (k) (tail-cc (- n 1))))))
(t (tail-cc n))                                 ;=> ok
(define (tail-rest n . rest) (if (= n 0) rest (tail-rest (- n 1) n 'x)))
(t (tail-rest n))                               ;=> (1 x)
(define (tail-six a b c d e n) (if (= n 0) (list a b c d e) (tail-six b c d e a (- n 1))))
(t (tail-six 1 2 3 4 5 n))                      ;=> (1 2 3 4 5)
(define (tail-closure n) ((lambda (k) (if (= k 0) 'ok (tail-closure (- k 1)))) n))
(t (tail-closure n))                            ;=> ok
(define (tail-internal n) (define (f m) (if (= m 0) 'ok (g (- m 1)))) (define (g m) (f m)) (f n))
(t (tail-internal n))                           ;=> ok
(define (tail-eval n) (if (= n 0) 'ok (tail-cond n)))
(t (tail-eval n))                               ;=> ok

; deep recursion
(define (count n) (if (= n 0) 0 (+ 1 (count (- n 1)))))
(t (count 1000000))                             ;=> 1000000
(define (build n) (if (= n 0) '() (cons n (build (- n 1)))))
(t (length (build 500000)))                     ;=> 500000
(t (apply + (build 1000)))                      ;=> 500500
(define (nest n) (let loop ((i 0) (l '())) (if (= i n) l (loop (+ i 1) (list l)))))
(t (equal? (nest 100000) (nest 100000)))        ;=> #t
(t (string-length (call-with-output-string (lambda (p) (write (nest 100000) p))))) ;=> 200002

; the collector
(define (garbage n) (if (> n 0) (begin (make-vector 1000 n) (garbage (- n 1)))))
(garbage 20000)
(define keep (let loop ((i 0) (l '())) (if (= i 200000) l (loop (+ i 1) (cons (vector i (number->string i)) l)))))
(garbage 20000)
(t (length keep))                               ;=> 200000
(t (let check ((i 199999) (l keep))
     (cond ((null? l) 'ok)
           ((and (= (vector-ref (car l) 0) i) (string=? (vector-ref (car l) 1) (number->string i)))
            (check (- i 1) (cdr l)))
           (else (list 'bad i)))))              ;=> ok
(define table (make-hash-table))
(do ((i 0 (+ i 1))) ((= i 50000)) (hash-table-set! table (string->symbol (string-append "s" (number->string i))) (list i)))
(t (hash-table-ref table 's49999))              ;=> (49999)
(t (let loop ((i 0)) (cond ((= i 50000) 'ok) ((equal? (list i) (hash-table-ref table (string->symbol (string-append "s" (number->string i))))) (loop (+ i 1))) (else i))))
;=> ok
(t (string-length (apply string-append (map (lambda (x) "0123456789") (iota 10000))))) ;=> 100000
(t (vector-length (make-vector 1000000 0)))     ;=> 1000000
(t (let ((b (make-bytevector 50000000 1))) (bytevector-u8-ref b 49999999))) ;=> 1
