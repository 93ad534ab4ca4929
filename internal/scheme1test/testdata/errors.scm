; SPDX-License-Identifier: MIT
; What the primitives say to wrong arguments, and how errors are handled.
(e (car 5))                                     ;=> car: not a pair: 5
(e (cdr '()))                                   ;=> cdr: not a pair: ()
(e (cadr '(1)))                                 ;=> cadr: not a pair: (1)
(e (cddr 1))                                    ;=> cddr: not a pair: 1
(e (caar '(1)))                                 ;=> caar: not a pair: (1)
(e (caddr '(1 2)))                              ;=> caddr: not a pair: (1 2)
(e (set-car! 1 2))                              ;=> set-car!: not a pair: 1
(e (let ((x 5)) (car x)))                       ;=> car: not a pair: 5
(e (+ 1 'a))                                    ;=> +: not an integer: a
(e (+ "1" 2))                                   ;=> +: not an integer: "1"
(e (let ((x 'b)) (+ x 1)))                      ;=> +: not an integer: b
(e (let ((x 'b)) (< 1 x)))                      ;=> <: not an integer: b
(e (+ 1 2 'c))                                  ;=> +: not an integer: c
(e (< 1 2 'c))                                  ;=> <: not an integer: c
(e (- 'a))                                      ;=> -: not an integer: a
(e (= #f 1))                                    ;=> =: not an integer: #f
(e (zero? "0"))                                 ;=> zero?: not an integer: "0"
(e (bitwise-and 1 #\a))                         ;=> bitwise-and: not an integer: #\a
(e (max 1 'a))                                  ;=> max: not an integer: a
(e (length '(1 . 2)))                           ;=> length: not a list: (1 . 2)
(e (length 5))                                  ;=> length: not a list: 5
(e (reverse '(1 . 2)))                          ;=> reverse: not a list: 2
(e (append '(1 . 2) '(3)))                      ;=> append: not a list: 2
(e (list-tail '(1 2) 3))                        ;=> list-tail: index out of range: 3
(e (list-ref '(1 2) 2))                         ;=> list-ref: index out of range: 2
(e (memq 'a 5))                                 ;=> memq: not a list: 5
(e (assq 'a '(5)))                              ;=> assq: not a pair: 5
(e (vector-ref (vector 1 2) 2))                 ;=> vector-ref: index out of range: 2
(e (vector-ref (vector 1 2) -1))                ;=> vector-ref: index out of range: -1
(e (vector-ref '(1) 0))                         ;=> vector-ref: not a vector: (1)
(e (vector-ref (vector 1) 'a))                  ;=> vector-ref: not an integer: a
(e (vector-set! (vector) 0 1))                  ;=> vector-set!: index out of range: 0
(e (make-vector -1))                            ;=> make-vector: not a size: -1
(e (vector-copy #(1 2) 3))                      ;=> vector-copy: index out of range: 3
(e (vector-copy #(1 2) 1 3))                    ;=> vector-copy: index out of range: 3
(e (vector-copy! (vector 1 2) 1 #(1 2)))        ;=> vector-copy!: index out of range: 1
(e (vector-copy! (vector 1 2) 3 #(1 2)))        ;=> vector-copy!: index out of range: 3
(e (string-ref "abc" 3))                        ;=> string-ref: index out of range: 3
(e (string-ref 'abc 0))                         ;=> string-ref: not a string: abc
(e (string-set! (string #\a) 0 "b"))            ;=> string-set!: not a character: "b"
(e (substring "abc" 2 1))                       ;=> substring: index out of range: 2
(e (substring "abc" 0 4))                       ;=> substring: index out of range: 4
(e (string-append "a" 'b))                      ;=> string-append: not a string: b
(e (string-copy! (string #\a) 0 "ab"))          ;=> string-copy!: index out of range: 0
(e (string->symbol 5))                          ;=> string->symbol: not a string: 5
(e (symbol->string "a"))                        ;=> symbol->string: not a symbol: "a"
(e (string=? "a" 'a))                           ;=> string=?: not a string: a
(e (list->string '(1)))                         ;=> list->string: not a character: 1
(e (string 1))                                  ;=> string: not a character: 1
(e (char->integer "a"))                         ;=> char->integer: not a character: "a"
(e (char=? #\a 5))                              ;=> char=?: not a character: 5
(e (integer->char 256))                         ;=> integer->char: not a byte: 256
(e (integer->char -1))                          ;=> integer->char: not a byte: -1
(e (bytevector 256))                            ;=> bytevector: not a byte: 256
(e (bytevector-u8-ref #u8(1) 1))                ;=> bytevector-u8-ref: index out of range: 1
(e (bytevector-u8-set! (bytevector 1) 0 -1))    ;=> bytevector-u8-set!: not a byte: -1
(e (bytevector-append #u8() "a"))               ;=> bytevector-append: not a bytevector: "a"
(e (hash-table-set! 5 1 2))                     ;=> hash-table-set!: not a hash table: 5
(e (hash-table-ref (make-hash-table) 'x))       ;=> hash-table-ref: no such key: x
(e (apply + 1))                                 ;=> apply: not a list: 1
(e (apply + '(1 . 2)))                          ;=> apply: not a list: 2
(e (vector->list 5))                            ;=> vector->list: not a vector: 5
(e (list->vector '(1 . 2)))                     ;=> list->vector: not a list: (1 . 2)
(e (open-input-file "/nonexistent/file"))       ;=> open-input-file: cannot open: "/nonexistent/file"
(e (delete-file "/nonexistent/file"))           ;=> delete-file: cannot delete: "/nonexistent/file"
(e (write-char 5))                              ;=> write-char: not a character: 5
(e (write 1 2))                                 ;=> write: not an output port: 2
(e (read-char (current-output-port)))           ;=> read-char: not an input port: #<port>
(e (read (open-input-string "(1 2")))           ;=> unexpected end of file
(e (read (open-input-string ")")))              ;=> unexpected text
(e (eval '(if)))                                ;=> bad syntax: (if)
(e (eval '(let ((x)) x)))                       ;=> bad syntax: (x)
(e (eval '(lambda (1) 1)))                      ;=> not a name: 1
(e (eval '(1 . 2)))                             ;=> bad syntax: (1 . 2)
(e (eval '(define)))                            ;=> bad syntax: (define)
(e (eval '(let ((f (lambda () (if #t (define z 1))))) (f))))
;=> definition in a wrong place: z

; unbound variables, wrong calls
(e no-such-variable)                            ;=> unbound variable: no-such-variable
(e (no-such-procedure 1))                       ;=> unbound variable: no-such-procedure
(e (set! no-such-variable 1))                   ;=> unbound variable: no-such-variable
(e (5 1))                                       ;=> not a procedure: 5
(e ("x"))                                       ;=> not a procedure: "x"
(define not-a-procedure 7)
(e (not-a-procedure 1 2 3 4 5))                 ;=> not a procedure: 7
(define (two a b) a)
(e (two 1))                                     ;=> two: wrong number of arguments: 1
(e (two 1 2 3))                                 ;=> two: wrong number of arguments: 3
(e (two 1 2 3 4 5 6))                           ;=> two: wrong number of arguments: 6
(define (some a . b) a)
(e (some))                                      ;=> some: wrong number of arguments: 0
(define (six a b c d e f) a)
(e (six 1 2 3 4 5))                             ;=> six: wrong number of arguments: 5
(e (six 1))                                     ;=> six: wrong number of arguments: 1
(e ((lambda (x) x)))                            ;=> wrong number of arguments: 0
(e (let loop ((i 0)) (loop)))                   ;=> loop: wrong number of arguments: 0
(e (car))                                       ;=> car: wrong number of arguments: 0
(e (cons 1 2 3))                                ;=> cons: wrong number of arguments: 3
(e (vector-ref #(1)))                           ;=> vector-ref: wrong number of arguments: 1
(e (number->string))                            ;=> number->string: wrong number of arguments: 0
(e (-))                                         ;=> -: wrong number of arguments: 0
(e (<))                                         ;=> <: wrong number of arguments: 0
(define-record-type <point> (point x y) point? (x point-x set-point-x!) (y point-y))
(e (point 1))                                   ;=> point: wrong number of arguments: 1
(e (point-x 5))                                 ;=> point-x: wrong type of record: 5
(e (point-x))                                   ;=> point-x: wrong number of arguments: 0
(e (set-point-x! (list 1) 2))                   ;=> set-point-x!: wrong type of record: (1)

; error, raise, guard
(e (error "message" 1 "two" 'three))            ;=> message: 1 "two" three
(e (error "message"))                           ;=> message
(e (raise 'boom))                               ;=> raised: boom
(e (raise-continuable (list 1)))                ;=> raised: (1)
(e (assert (= 1 2)))                            ;=> assertion failed: (= 1 2)
(t (guard (c ((symbol? c) (list 'symbol c)) ((string? c) 'string)) (raise 'a)))
;=> (symbol a)
(t (guard (c ((assq 'a c) => cdr) ((assq 'b c))) (raise (list (cons 'a 42))))) ;=> 42
(t (guard (c ((assq 'a c) => cdr) ((assq 'b c))) (raise (list (cons 'b 23))))) ;=> (b . 23)
(t (guard (c ((string? c) 'outer)) (guard (c ((symbol? c) 'inner)) (raise "s")))) ;=> outer
(t (guard (c (else 'else)) (raise 1)))          ;=> else
(t (guard (c (#f 'no)) 5))                      ;=> 5
(t (guard (c (#t (error-object-irritants c))) (error "m" 1 2))) ;=> (1 2)
(t (guard (c (#t (error-object? c))) (vector-ref #(1) 9)))      ;=> #t
(t (with-exception-handler
    (lambda (c) 42)
    (lambda () (+ (raise-continuable 'should-be-a-number) 23)))) ;=> 65
(t (call/cc (lambda (k) (with-exception-handler (lambda (c) (k (list 'caught c))) (lambda () (raise 'oops))))))
;=> (caught oops)
(e (with-exception-handler (lambda (c) 'ignored) (lambda () (raise 'oops)))) ;=> handler returned: oops
(e (with-exception-handler (lambda (c) (raise (list c 'again))) (lambda () (raise 'oops))))
;=> raised: (oops again)
(t (guard (c (#t c)) (+ 1 (guard (c ((number? c) (raise 'from-handler))) (raise 1))))) ;=> from-handler
(t (let ((log '()))
     (guard (c (#t (set! log (cons c log))))
       (dynamic-wind (lambda () (set! log (cons 'in log)))
                     (lambda () (raise 'x))
                     (lambda () (set! log (cons 'out log)))))
     (reverse log)))                            ;=> (in out x)
