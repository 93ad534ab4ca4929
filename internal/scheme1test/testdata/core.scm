; SPDX-License-Identifier: MIT
; The core of the language, without the prelude.
(define-macro (t x) (list 'begin (list 'write x) '(newline)))
(t (quote a))                                   ;=> a
(t ((lambda (x . y) (list x y)) 1 2 3))         ;=> (1 (2 3))
(define (f x) (define y 2) (if (> x y) (begin 1 'more) 'less))
(t (f 3))                                       ;=> more
(t (let ((a 1)) (let* ((a 2) (b a)) (letrec ((c (lambda () b))) (c)))))   ;=> 2
(t (let loop ((i 0)) (and (or #f #t) (if (< i 5) (loop (+ i 1)) i))))     ;=> 5
(t (case 3 ((1 2) 'low) ((3 4) 'high) (else 'none)))        ;=> high
(define x 1)
(set! x (+ x 1))
(t x)                                           ;=> 2
(define-macro (inc! v) (list 'set! v (list '+ v 1)))
(inc! x)
(t x)                                           ;=> 3
(t (call/cc (lambda (k) (k 1))))                ;=> 1
(t (call-with-values (lambda () (values 1 2)) +)) ;=> 3
(t (apply max '(1 5 3)))                        ;=> 5
(t (with-exception-handler (lambda (c) 5) (lambda () (+ 1 (raise-continuable 0)))))   ;=> 6
(t (call/cc (lambda (k) (with-exception-handler (lambda (c) (k (error-object-message c))) (lambda () (car 1))))))
;=> "car: not a pair"
(t (eval (list '+ 1 2)))                        ;=> 3
(let () (define local 7) (t local))             ;=> 7
(define h (make-hash-table))
(hash-table-set! h "k" 'v)
(t (hash-table-ref/default h "k" #f))           ;=> v
