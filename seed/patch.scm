; SPDX-License-Identifier: MIT
; Changes a file as patches tell, which are in the unified form of diff:
;
;   patch.scm FROM PATCH... TO
;
; writes TO, the name by which the patches call the file but for its folders.
; All of them are against FROM as it is, in the order of the places that they
; change, and have to fit to the letter. prelude.scm stands before it.

(define (last-of l) (car (last-pair l)))
(define from (cadr (command-line)))
(define to (last-of (command-line)))
(define patches (cdr (reverse (cdr (reverse (cdr (command-line)))))))

(define in (open-input-file from))
(define out (open-output-file to))
(define at 1)                           ; the line of FROM that comes next

(define (next-line)
  (let ((line (read-line in)))
    (if (eof-object? line) (error "patch is behind the end of" from at))
    (set! at (+ at 1))
    line))

(define (put line)
  (write-string line out)
  (newline out))

(define (copy-to line)
  (if (> at line) (error "patches overlap, or are out of order" from at line))
  (let loop ()
    (when (< at line)
      (put (next-line))
      (loop))))

(define (copy-rest)
  (let ((line (read-line in)))
    (unless (eof-object? line)
      (put line)
      (copy-rest))))

; The numbers in the head of a hunk: line, count, line, count. Where there is
; one line, diff leaves out the count.
(define (hunk-numbers head)
  (define (number i)                    ; up to a sign that is no digit
    (let loop ((i i) (n 0))
      (let ((c (string-ref head i)))
        (if (char-numeric? c)
            (loop (+ i 1) (+ (* n 10) (- (char->integer c) 48)))
            (cons n i)))))
  (define (pair i)                      ; behind - or +
    (let* ((first (number i)) (i (cdr first)))
      (if (char=? (string-ref head i) #\,)
          (let ((second (number (+ i 1))))
            (list (car first) (car second) (cdr second)))
          (list (car first) 1 i))))
  (let* ((old (pair 4)) (new (pair (+ (caddr old) 2))))
    (list (car old) (cadr old) (cadr new))))

(define (same! wanted)
  (let* ((line at) (found (next-line)))
    (if (not (string=? wanted found))
        (error "patch does not fit" from line wanted found))))

(define (apply-hunk patch head)
  (let ((numbers (hunk-numbers head)))
    (if (= (cadr numbers) 0) (error "hunk without context" head))
    (copy-to (car numbers))
    (let loop ((old (cadr numbers)) (new (caddr numbers)))
      (when (> (+ old new) 0)
        (let* ((line (read-line patch))
               (text (substring line 1 (string-length line))))
          (case (string-ref line 0)
            ((#\space) (same! text) (put text) (loop (- old 1) (- new 1)))
            ((#\-) (same! text) (loop (- old 1) new))
            ((#\+) (put text) (loop old (- new 1)))
            (else (error "no line of a patch" line))))))))

; Applies what a patch has for the file. Before that may stand what it is for.
(define (apply-patch name)
  (let ((patch (open-input-file name)))
    (let loop ((mine #f) (hunks 0))
      (let ((line (read-line patch)))
        (cond ((eof-object? line)
               (if (= hunks 0) (error "patch is not for this file" name to)))
              ((string-prefix? "+++ " line)
               (loop (string-suffix? (string-append "/" to) line) hunks))
              ((and mine (string-prefix? "@@ -" line))
               (apply-hunk patch line)
               (loop mine (+ hunks 1)))
              (else (loop mine hunks)))))
    (close-port patch)))

(for-each apply-patch patches)
(copy-rest)
(close-port out)
