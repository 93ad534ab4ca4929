; SPDX-License-Identifier: MIT
; Equality, pairs and lists, symbols, characters, vectors, bytevectors.
(t (eqv? 'a 'a))                                ;=> #t
(t (eqv? '() '()))                              ;=> #t
(t (eqv? 100000000 100000000))                  ;=> #t
(t (eqv? (cons 1 2) (cons 1 2)))                ;=> #f
(t (eq? 'a 'b))                                 ;=> #f
(t (let ((x '(a))) (eq? x x)))                  ;=> #t
(t (eq? #\a #\a))                               ;=> #t
(t (equal? 'a 'a))                              ;=> #t
(t (equal? '(a (b) c) '(a (b) c)))              ;=> #t
(t (equal? '(a (b) c) '(a (b) d)))              ;=> #f
(t (equal? '(a b) '(a b c)))                    ;=> #f
(t (equal? "abc" "abc"))                        ;=> #t
(t (equal? "abc" "abd"))                        ;=> #f
(t (equal? "abc" "abcd"))                       ;=> #f
(t (equal? 2 2))                                ;=> #t
(t (equal? (make-vector 5 'a) (make-vector 5 'a))) ;=> #t
(t (equal? '#(1 2 (3)) '#(1 2 (4))))            ;=> #f
(t (equal? '#(1 2) '#(1 2 3)))                  ;=> #f
(t (equal? #u8(1 2) (bytevector 1 2)))          ;=> #t
(t (equal? #u8(1 2) #u8(1 3)))                  ;=> #f
(t (equal? "ab" #u8(97 98)))                    ;=> #f
(t (not 3))                                     ;=> #f
(t (not #f))                                    ;=> #t
(t (list (boolean? #f) (boolean? #t) (boolean? 0) (boolean? '()))) ;=> (#t #t #f #f)
(t (boolean=? #t #t))                           ;=> #t
(t (symbol=? 'a 'b))                            ;=> #f
(define one-of-each
  (list 1 #t #\a '() (cons 1 2) 'a "a" #(1) #u8(1) car (lambda () 1)
        (eof-object) (make-hash-table) (current-output-port)))
(define (mask p) (list->string (map (lambda (x) (if (p x) #\x #\.)) one-of-each)))
(t (mask integer?))                             ;=> "x............."
(t (mask number?))                              ;=> "x............."
(t (mask boolean?))                             ;=> ".x............"
(t (mask char?))                                ;=> "..x..........."
(t (mask null?))                                ;=> "...x.........."
(t (mask pair?))                                ;=> "....x........."
(t (mask list?))                                ;=> "...x.........."
(t (mask symbol?))                              ;=> ".....x........"
(t (mask string?))                              ;=> "......x......."
(t (mask vector?))                              ;=> ".......x......"
(t (mask bytevector?))                          ;=> "........x....."
(t (mask procedure?))                           ;=> ".........xx..."
(t (mask eof-object?))                          ;=> "...........x.."
(t (mask hash-table?))                          ;=> "............x."
(t (mask port?))                                ;=> ".............x"
(t (mask output-port?))                         ;=> ".............x"
(t (mask input-port?))                          ;=> ".............."
(t (mask error-object?))                        ;=> ".............."

; pairs and lists
(t (cons 'a '()))                               ;=> (a)
(t (cons '(a) '(b c d)))                        ;=> ((a) b c d)
(t (cons 'a 3))                                 ;=> (a . 3)
(t (cons '(a b) 'c))                            ;=> ((a b) . c)
(t (car '((a) b c d)))                          ;=> (a)
(t (cdr '((a) b c d)))                          ;=> (b c d)
(t (let ((p (list 1 2))) (set-car! p 3) (set-cdr! p '(4)) p)) ;=> (3 4)
(define tree '(((1 . 2) . (3 . 4)) . ((5 . 6) . (7 . 8))))
(t (list (caar tree) (cdar tree) (cadr tree) (cddr tree)))
;=> ((1 . 2) (3 . 4) (5 . 6) (7 . 8))
(t (list (caadr '(1 (2 3))) (cdadr '(1 (2 3))) (cadar '((1 2))) (cddar '((1 2 3)))))
;=> (2 (3) 2 (3))
(t (list (caddr '(1 2 3 4)) (cdddr '(1 2 3 4))))   ;=> (3 (4))
(t (list? '(a b c)))                            ;=> #t
(t (list? '(a . b)))                            ;=> #f
(t (let ((x (list 'a 'b 'c))) (set-cdr! (cddr x) x) (list? x))) ;=> #f
(t (let ((x (list 'a))) (set-cdr! x x) (list? x))) ;=> #f
(t (length '(a (b) (c d e))))                   ;=> 3
(t (length '()))                                ;=> 0
(t (append '(x) '(y)))                          ;=> (x y)
(t (append '(a) '(b c d)))                      ;=> (a b c d)
(t (append '(a b) '(c . d)))                    ;=> (a b c . d)
(t (append '() 'a))                             ;=> a
(t (append))                                    ;=> ()
(t (append '(1) '(2) '() '(3 4) '(5)))          ;=> (1 2 3 4 5)
(t (let ((l '(1 2))) (eq? l (append l))))       ;=> #t
(t (reverse '(a (b c) d (e (f)))))              ;=> ((e (f)) d (b c) a)
(t (list-tail '(a b c d) 2))                    ;=> (c d)
(t (list-ref '(a b c d) 2))                     ;=> c
(t (let ((l (list 1 2 3))) (list-set! l 1 'x) l)) ;=> (1 x 3)
(t (memq 'c '(a b c d e)))                      ;=> (c d e)
(t (memq 'x '(a b)))                            ;=> #f
(t (memv 101 '(100 101 102)))                   ;=> (101 102)
(t (member (list 'a) '(b (a) c)))               ;=> ((a) c)
(t (member "b" '("a" "b")))                     ;=> ("b")
(t (assq 'b '((a 1) (b 2))))                    ;=> (b 2)
(t (assq 'd '((a 1) (b 2))))                    ;=> #f
(t (assv 5 '((2 3) (5 7) (11 13))))             ;=> (5 7)
(t (assoc "b" '(("a" . 1) ("b" . 2))))          ;=> ("b" . 2)
(t (assoc '(1) '(((2) . a) ((1) . b))))         ;=> ((1) . b)
(t (list-copy '(1 2 3)))                        ;=> (1 2 3)
(t (make-list 2 3))                             ;=> (3 3)
(t (iota 5))                                    ;=> (0 1 2 3 4)
(t (iota 3 1 2))                                ;=> (1 3 5)
(t (cons* 1 2 '(3)))                            ;=> (1 2 3)
(t (last-pair '(1 2 3)))                        ;=> (3)
(t (map cadr '((a b) (d e) (g h))))             ;=> (b e h)
(t (map + '(1 2 3) '(4 5 6)))                   ;=> (5 7 9)
(t (map + '(1 2) '(10 20 30) '(100 200)))       ;=> (111 222)
(t (let ((v '())) (for-each (lambda (x) (set! v (cons x v))) '(1 2 3)) v)) ;=> (3 2 1)
(t (let ((v '())) (for-each (lambda (x y) (set! v (cons (+ x y) v))) '(1 2) '(3 4)) v))
;=> (6 4)
(t (append-map list '(1 2)))                    ;=> (1 2)
(t (filter odd? '(1 2 3 4 5)))                  ;=> (1 3 5)
(t (delete 2 '(1 2 3 2)))                       ;=> (1 3)
(t (fold cons '() '(1 2 3)))                    ;=> (3 2 1)
(t (fold-right cons '() '(1 2 3)))              ;=> (1 2 3)
(t (reduce + 0 '(1 2 3)))                       ;=> 6
(t (reduce + 0 '()))                            ;=> 0
(t (find even? '(1 3 4 5 6)))                   ;=> 4
(t (find-tail even? '(1 3 4 5)))                ;=> (4 5)
(t (any (lambda (x) (and (> x 2) (* x x))) '(1 2 3))) ;=> 9
(t (every positive? '(1 2 3)))                  ;=> #t
(t (every positive? '(1 -2 3)))                 ;=> #f
(t (sort '(3 1 2) <))                           ;=> (1 2 3)
(t (sort '() <))                                ;=> ()
(t (sort (vector 3 1 2) >))                     ;=> #(3 2 1)
(t (list-sort (lambda (a b) (< (car a) (car b))) '((2 a) (1 b) (2 c) (1 d))))
;=> ((1 b) (1 d) (2 a) (2 c))
(t (apply + (list 3 4)))                        ;=> 7
(t (apply + 1 2 '(3 4)))                        ;=> 10
(t (apply list '()))                            ;=> ()
(t (apply list 1 2 3 4 5 6 7 '(8 9)))           ;=> (1 2 3 4 5 6 7 8 9)

; symbols and characters
(t (symbol->string 'flying-fish))               ;=> "flying-fish"
(t (string->symbol "mISSISSIppi"))              ;=> mISSISSIppi
(t (eq? 'bitBlt (string->symbol "bitBlt")))     ;=> #t
(t (eq? (gensym) (gensym)))                     ;=> #f
(t (symbol? (gensym)))                          ;=> #t
(t (char->integer #\A))                         ;=> 65
(t (integer->char 97))                          ;=> #\a
(t (char->integer (integer->char 255)))         ;=> 255
(t (list (char=? #\a #\a) (char<? #\a #\b) (char>? #\a #\b) (char<=? #\a #\a) (char>=? #\a #\b)))
;=> (#t #t #f #t #f)
(t (list (char<? #\a #\b #\c) (char<? #\a #\c #\b) (char=? #\a #\a #\b))) ;=> (#t #f #f)
(t (map char-alphabetic? (string->list "azAZ09@[`{ ")))
;=> (#t #t #t #t #f #f #f #f #f #f #f)
(t (map char-numeric? (string->list "09/:a")))  ;=> (#t #t #f #f #f)
(t (map char-whitespace? (string->list " \t\n\ra")))   ;=> (#t #t #t #t #f)
(t (list (char-upcase #\i) (char-upcase #\1) (char-downcase #\I) (char-downcase #\[)))
;=> (#\I #\1 #\i #\[)
(t (map digit-value (string->list "09a")))      ;=> (0 9 #f)

; strings
(t (string-length "abc"))                       ;=> 3
(t (string-ref "abc" 2))                        ;=> #\c
(t (let ((s (make-string 3 #\*))) (string-set! s 1 #\x) s)) ;=> "*x*"
(t (string #\a #\b))                            ;=> "ab"
(t (string))                                    ;=> ""
(t (substring "hello" 1 3))                     ;=> "el"
(t (string-copy "hello" 2))                     ;=> "llo"
(t (string-copy "hello" 2 4))                   ;=> "ll"
(t (let* ((a "abc") (b (string-copy a))) (string-set! b 0 #\x) (list a b))) ;=> ("abc" "xbc")
(t (string-append))                             ;=> ""
(t (string-append "a" "" "bcd" "ef"))           ;=> "abcdef"
(t (list (string=? "a" "a") (string<? "a" "b") (string>? "b" "a") (string<=? "a" "a") (string>=? "a" "b")))
;=> (#t #t #t #t #f)
(t (list (string<? "a" "ab") (string<? "ab" "a") (string<? "" "a") (string<? "Z" "a")))
;=> (#t #f #t #t)
(t (string<? "a" "b" "c"))                      ;=> #t
(t (string=? "a" "a" "b"))                      ;=> #f
(t (string->list "abc"))                        ;=> (#\a #\b #\c)
(t (string->list "abcd" 1 3))                   ;=> (#\b #\c)
(t (list->string '(#\x #\y)))                   ;=> "xy"
(t (string->vector "abc"))                      ;=> #(#\a #\b #\c)
(t (vector->string #(#\1 #\2)))                 ;=> "12"
(t (let ((s (make-string 5 #\.))) (string-copy! s 1 "abc") s))      ;=> ".abc."
(t (let ((s (string-copy "12345"))) (string-copy! s 1 s 0 4) s))    ;=> "11234"
(t (let ((s (string-copy "12345"))) (string-copy! s 0 s 1) s))      ;=> "23455"
(t (let ((s (string-copy "12345"))) (string-copy! s 1 "abcd" 2 4) s)) ;=> "1cd45"
(t (let ((s (string-copy "12345"))) (string-fill! s #\x 1 3) s))    ;=> "1xx45"
(t (string-map char-upcase "abc"))              ;=> "ABC"
(t (string-map (lambda (a b) (if (char<? a b) a b)) "adc" "bbb"))   ;=> "abb"
(t (let ((v '())) (string-for-each (lambda (c) (set! v (cons c v))) "abc") v)) ;=> (#\c #\b #\a)
(t (list (string-upcase "aBc1") (string-downcase "AbC1")))  ;=> ("ABC1" "abc1")
(t (string-index "hello" #\l))                  ;=> 2
(t (string-index "hello" #\l 3))                ;=> 3
(t (string-index "hello" char-numeric?))        ;=> #f
(t (list (string-prefix? "he" "hello") (string-prefix? "hello" "he") (string-suffix? "lo" "hello")))
;=> (#t #f #t)
(t (string-join '("a" "b" "c") ", "))           ;=> "a, b, c"
(t (string-join '() ", "))                      ;=> ""

; vectors
(t (make-vector 2 'x))                          ;=> #(x x)
(t (vector 'a 'b 'c))                           ;=> #(a b c)
(t (vector))                                    ;=> #()
(t (vector-length (vector 1 2 3)))              ;=> 3
(t (vector-ref '#(1 1 2 3 5 8 13 21) 5))        ;=> 8
(t (let ((v (vector 0 '(2 2 2 2) "Anna"))) (vector-set! v 1 '("Sue" "Sue")) v))
;=> #(0 ("Sue" "Sue") "Anna")
(t (vector->list '#(dah dah didah)))            ;=> (dah dah didah)
(t (vector->list '#(dah dah didah) 1 2))        ;=> (dah)
(t (list->vector '(dididit dah)))               ;=> #(dididit dah)
(t (vector-copy #(1 2 3)))                      ;=> #(1 2 3)
(t (vector-copy #(1 2 3 4) 1 3))                ;=> #(2 3)
(t (let ((a #(1 8 2 8))) (vector-copy a 2 4)))  ;=> #(2 8)
(t (let ((a (vector 1 2 3 4 5)) (b (vector 10 20 30 40 50))) (vector-copy! b 1 a 0 2) b))
;=> #(10 1 2 40 50)
(t (let ((a (vector 1 2 3 4 5))) (vector-copy! a 1 a 0 4) a))       ;=> #(1 1 2 3 4)
(t (let ((a (vector 1 2 3 4 5))) (vector-copy! a 0 a 2) a))         ;=> #(3 4 5 4 5)
(t (vector-append #(1) #() #(2 3)))             ;=> #(1 2 3)
(t (let ((a (vector 1 2 3 4 5))) (vector-fill! a 'smash 2 4) a))    ;=> #(1 2 smash smash 5)
(t (let ((a (vector 1 2))) (vector-fill! a 0) a)) ;=> #(0 0)
(t (vector-map cadr '#((a b) (d e) (g h))))     ;=> #(b e h)
(t (vector-map + #(1 2) #(10 20 30)))           ;=> #(11 22)
(t (let ((v (make-vector 3))) (vector-for-each (lambda (i) (vector-set! v i (* i i))) #(0 1 2)) v))
;=> #(0 1 4)

; bytevectors
(t (make-bytevector 2 12))                      ;=> #u8(12 12)
(t (bytevector 1 3 5 1 3 5))                    ;=> #u8(1 3 5 1 3 5)
(t (bytevector))                                ;=> #u8()
(t (bytevector-length #u8(1 2 3)))              ;=> 3
(t (bytevector-u8-ref '#u8(1 1 2 3 5 8 13 21) 5)) ;=> 8
(t (let ((bv (bytevector 1 2 3 4))) (bytevector-u8-set! bv 1 255) bv)) ;=> #u8(1 255 3 4)
(t (bytevector-copy #u8(1 2 3 4 5) 2 4))        ;=> #u8(3 4)
(t (let ((a (bytevector 1 2 3 4 5)) (b (bytevector 10 20 30 40 50))) (bytevector-copy! b 1 a 0 2) b))
;=> #u8(10 1 2 40 50)
(t (bytevector-append (bytevector 0 1 2) (bytevector 3 4 5))) ;=> #u8(0 1 2 3 4 5)
(t (utf8->string #u8(65 66 67)))                ;=> "ABC"
(t (utf8->string #u8(65 66 67) 1 2))            ;=> "B"
(t (string->utf8 "abc"))                        ;=> #u8(97 98 99)
(t (let ((b (make-bytevector 4 0))) (bytevector-fill! b 7 1 3) b)) ;=> #u8(0 7 7 0)

; hash tables
(define h (make-hash-table))
(hash-table-set! h 'a 1)
(hash-table-set! h "b" 2)
(hash-table-set! h #\c 3)
(hash-table-set! h 4 4)
(hash-table-set! h -4 5)
(hash-table-set! h "" 6)
(define key (list 1))
(hash-table-set! h key 7)
(t (map (lambda (k) (hash-table-ref/default h k #f))
        (list 'a (string #\b) #\c 4 -4 "" key (list 1) 'z "z" #f)))
;=> (1 2 3 4 5 6 7 #f #f #f #f)
(t (hash-table-count h))                        ;=> 7
(hash-table-set! h 'a 10)
(t (list (hash-table-ref h 'a) (hash-table-count h))) ;=> (10 7)
(hash-table-delete! h 'a)
(hash-table-delete! h 'nothing)
(t (list (hash-table-ref/default h 'a 'gone) (hash-table-count h) (hash-table-contains? h "b") (hash-table-contains? h "a")))
;=> (gone 6 #t #f)
(t (hash-table-ref h 'q (lambda () 'none)))     ;=> none
(t (hash-table-ref h 4 (lambda () 'none) list)) ;=> (4)
(hash-table-update! h 4 (lambda (x) (* x 2)))
(hash-table-update! h 'new list (lambda () 0))
(hash-table-update!/default h 'count (lambda (x) (+ x 1)) 0)
(t (map (lambda (k) (hash-table-ref h k)) '(4 new count)))  ;=> (8 (0) 1)
(define h2 (alist->hash-table '((a . 1) (b . 2) (a . 3))))
(t (sort (hash-table-values h2) <))             ;=> (1 2)
(t (sort (map symbol->string (hash-table-keys h2)) string<?)) ;=> ("a" "b")
(t (let ((sum 0)) (hash-table-walk h2 (lambda (k v) (set! sum (+ sum v)))) sum)) ;=> 3
(t (let ((c (hash-table-copy h2))) (hash-table-set! c 'x 9) (list (hash-table-size c) (hash-table-size h2))))
;=> (3 2)
(hash-table-clear! h2)
(t (list (hash-table-count h2) (hash-table->alist h2)))     ;=> (0 ())
(define big (make-hash-table))
(do ((i 0 (+ i 1))) ((= i 1000))
  (hash-table-set! big i (* i i))
  (hash-table-set! big (number->string i) i))
(do ((i 0 (+ i 2))) ((>= i 1000)) (hash-table-delete! big i))
(do ((i 0 (+ i 1))) ((= i 300)) (hash-table-set! big (list i) i))
(t (hash-table-count big))                      ;=> 1800
(t (map (lambda (k) (hash-table-ref/default big k #f)) '(1 2 999 "0" "999" "1000")))
;=> (1 #f 998001 0 999 #f)
(define churn (make-hash-table))                ; no growth by deletions
(do ((i 0 (+ i 1))) ((= i 1000))
  (hash-table-set! churn i i)
  (hash-table-delete! churn i))
(t (hash-table-count churn))                    ;=> 0
