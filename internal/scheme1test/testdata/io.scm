; SPDX-License-Identifier: MIT
; The reader, the printer, ports, files, processes. Run with the arguments
; "one", "two words" and "" in a folder that may be written to.
(t (cdr (command-line)))                        ;=> ("one" "two words" "")

; reader
(define (rd text) (read (open-input-string text)))
(t (rd "  abc"))                                ;=> abc
(t (rd "(a b . c)"))                            ;=> (a b . c)
(t (rd "(a . (b . (c . ())))"))                 ;=> (a b c)
(t (rd "'a"))                                   ;=> (quote a)
(t (rd "`(a ,b ,@c)"))                          ;=> (quasiquote (a (unquote b) (unquote-splicing c)))
(t (rd "; comment\n 12"))                       ;=> 12
(t (rd "#| a #| nested |# b |# 13"))            ;=> 13
(t (rd "#|#||#|# 14"))                        ;=> 14
(t (rd "#;(ignored 1) 15"))                     ;=> 15
(t (rd "(1 #;2 3 #;4)"))                        ;=> (1 3)
(t (rd "(a;comment)\nb)"))                      ;=> (a b)
(t (rd "(a\"s\"b'c)"))                          ;=> (a "s" b (quote c))
(t (rd "\"\\a\\b\\t\\n\\r\\\"\\\\\\|\\x41;\\x7e;\"")) ;=> "\a\b\t\n\r\"\\|A~"
(t (rd "\"a\\\n   b\""))                        ;=> "ab"
(t (rd "\"a \\  \n b\""))                       ;=> "a b"
(t (string-length (rd "\"a\nb\"")))             ;=> 3
(t (map rd '("#t" "#true" "#f" "#false")))      ;=> (#t #t #f #f)
(t (map rd '("#\\a" "#\\space" "#\\newline" "#\\x41" "#\\x" "#\\(" "#\\tab" "#\\nul" "#\\;")))
;=> (#\a #\space #\newline #\A #\x #\( #\tab #\null #\;)
(t (map char->integer (map rd '("#\\alarm" "#\\backspace" "#\\delete" "#\\escape" "#\\null" "#\\return" "#\\xff"))))
;=> (7 8 127 27 0 13 255)
(t (rd "(#\\( #\\))"))                          ;=> (#\( #\))
(t (map rd '("12" "-12" "+12" "#x1F" "#b-11" "#o17"))) ;=> (12 -12 12 31 -3 15)
(t (map symbol? (map rd '("+" "-" "..." "->x" "1+" "a.b" "<=?" "!$%&*/:~^_" "-a")))) ;=> (#t #t #t #t #t #t #t #t #t)
(t (symbol->string (rd "|a b\\x41;|")))         ;=> "a bA"
(t (eq? (rd "|abc|") 'abc))                     ;=> #t
(t (eq? 'Abc 'abc))                             ;=> #f
(t (rd "#(1 (2) #(3))"))                        ;=> #(1 (2) #(3))
(t (rd "#u8(0 10 255)"))                        ;=> #u8(0 10 255)
(t (eof-object? (rd "")))                       ;=> #t
(t (eof-object? (rd " ; only a comment")))      ;=> #t
(define two (open-input-string "a(b)c"))
(t (let* ((a (read two)) (b (read two)) (c (read two))) (list a b c (eof-object? (read two)))))
;=> (a (b) c #t)
(e (rd "(1 . 2 3)"))                            ;=> unexpected text
(e (rd "( . 2)"))                               ;=> unexpected text
(e (rd "(1 . )"))                               ;=> unexpected text
(e (rd "'"))                                    ;=> unexpected end of file
(e (rd "')"))                                   ;=> unexpected text
(e (rd "\"abc"))                                ;=> unexpected end of file
(e (rd "\"\\q\""))                              ;=> unexpected text
(e (rd "#| abc"))                               ;=> unexpected end of file
(e (rd "#<x>"))                                 ;=> unexpected text
(e (rd "#\\spaec"))                             ;=> unexpected text
(e (rd "#u8(256)"))                             ;=> not a byte: 256
(e (rd "#u8(a)"))                               ;=> not an integer: a
(e (rd "#xfg"))                                 ;=> unexpected text
(e (rd "9999999999999999999"))                  ;=> number out of range

; printer
(t '(a "b" #\c 4 (#t #f) . d))                  ;=> (a "b" #\c 4 (#t #f) . d)
(display '(a "b" #\c 4 (#t #f) . d)) (newline)  ;=> (a b c 4 (#t #f) . d)
(t (list #\space #\newline #\tab #\null #\return #\delete #\escape #\alarm #\backspace #\x1 #\xff #\x))
;=> (#\space #\newline #\tab #\null #\return #\delete #\escape #\alarm #\backspace #\x1 #\xff #\x)
(t (string #\a #\" #\\ #\newline #\tab #\return #\alarm #\backspace #\x1 #\|))
;=> "a\"\\\n\t\r\a\b\x1;|"
(t (list (string->symbol "") (string->symbol "a b") (string->symbol "a(b")))  ;=> (|| |a b| |a(b|)
(t (list car (lambda (x) x) rd))                ;=> (#<procedure car> #<procedure> #<procedure rd>)
(t (list (eof-object) (if #f #f) (make-hash-table) (current-output-port)))
;=> (#<eof> #<unspecified> #<hash-table> #<port>)
(t '#())                                        ;=> #()
(t (vector "a" #\b 'c))                         ;=> #("a" #\b c)
(t ''a)                                         ;=> (quote a)
(write-string "abc" (current-output-port)) (newline)        ;=> abc
(write-string "abcdef" (current-output-port) 2) (newline)   ;=> cdef
(write-string "abcdef" (current-output-port) 2 4) (newline) ;=> cd
(write-char #\a) (write-u8 98) (write-bytevector #u8(99 100)) (newline) ;=> abcd

; string ports
(t (let ((p (open-output-string))) (write 'a p) (write-char #\space p) (display "b" p) (get-output-string p)))
;=> "a b"
(t (let ((p (open-output-string))) (do ((i 0 (+ i 1))) ((= i 1000)) (write i p)) (string-length (get-output-string p))))
;=> 2890
(t (let ((p (open-output-string))) (write-string (make-string 100000 #\x) p) (string-length (get-output-string p))))
;=> 100000
(t (with-output-to-string (lambda () (display "x") (write "y")))) ;=> "x\"y\""
(t (call-with-output-string (lambda (p) (newline p))))      ;=> "\n"
(define in (open-input-string "line 1\nline 2\r\n\nlast"))
(t (list (read-line in) (read-line in) (read-line in) (read-line in) (read-line in)))
;=> ("line 1" "line 2\r" "" "last" #<eof>)
(define in2 (open-input-string "abcdefg"))
(t (list (peek-char in2) (read-char in2) (read-u8 in2) (peek-u8 in2) (read-string 2 in2) (read-string 9 in2) (read-string 1 in2) (read-char in2)))
;=> (#\a #\a 98 99 "cd" "efg" #<eof> #<eof>)
(t (list (read-string 0 (open-input-string "a")) (read-bytevector 3 (open-input-string "abcd")) (read-bytevector 3 (open-input-string ""))))
;=> ("" #u8(97 98 99) #<eof>)

; files
(define name "scheme1-test-file")
(t (call-with-output-file name (lambda (p) (write '(some "data") p) (newline p) 'written))) ;=> written
(t (read-file name))                            ;=> "(some \"data\")\n"
(t (call-with-input-file name read))            ;=> (some "data")
(t (call-with-input-file name read-line))       ;=> "(some \"data\")"
(t (file-exists? name))                         ;=> #t
(with-output-to-file name (lambda () (display "replaced")))
(t (read-file name))                            ;=> "replaced"
(t (with-input-from-file name read))            ;=> replaced
(define out (open-output-file name))
(write-string (make-string 200000 #\a) out)
(write-char #\b out)
(flush-output-port out)
(t (string-length (read-file name)))            ;=> 200001
(write-char #\c out)
(close-port out)
(t (let ((s (read-file name))) (list (string-length s) (string-ref s 200000) (string-ref s 200001))))
;=> (200002 #\b #\c)
(e (write-char #\d out))                        ;=> port is closed: #<port>
(close-port out)
(define in3 (open-input-file name))
(close-input-port in3)
(t (eof-object? (read-char in3)))               ;=> #t
(delete-file name)
(t (file-exists? name))                         ;=> #f
(call-with-output-file name (lambda (p) 'nothing))
(t (read-file name))                            ;=> ""
(t (eof-object? (call-with-input-file name read-char))) ;=> #t
(delete-file name)

; processes
(t (run "/bin/sh" "-c" "exit 7"))               ;=> 7
(t (run "/bin/sh" "-c" "kill -9 $$"))           ;=> 137
(t (run "/nonexistent/program"))                ;=> 127
(display "before ") (run "/bin/sh" "-c" "echo $1" "sh" "within") ;=> before within
(t (run "/bin/sh" "-c" "test \"$1$2\" = 'a b' -a $# = 2" "sh" "a b" "")) ;=> 0
(t (run "/bin/sh" "-c" "test -z \"$HOME$USER$LANG\"")) ;=> 0
(e (run "/bin/sh" 'a))                          ;=> run: not a string: a
(call-with-output-file name (lambda (p) (display "flushed" p) (t (run "/bin/sh" "-c" "test $(cat scheme1-test-file) = flushed"))))
;=> 0
(delete-file name)
(t (list (read-char) (read-line) (eof-object? (read-char)))) ;=> (#\i "nput" #t)
