; SPDX-License-Identifier: MIT
; What the tests use: (t expression) writes its value on a line; (e expression)
; writes the error that it ends with.
(define-macro (t . body) `(begin (write (begin ,@body)) (newline)))
(define (message e)
  (if (error-object? e)
      (begin
        (display (error-object-message e))
        (let loop ((l (error-object-irritants e)) (mark ": "))
          (when (pair? l)
            (display mark)
            (write (car l))
            (loop (cdr l) " "))))
      (begin (display "raised: ") (write e)))
  (newline))
(define-macro (e . body)
  `(guard (c (#t (message c))) (write (begin ,@body)) (newline)))
