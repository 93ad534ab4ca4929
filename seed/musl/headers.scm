; SPDX-License-Identifier: MIT
; The three headers of musl that its own Makefile makes with sed:
;
;   headers.scm ARCH/alltypes.h.in alltypes.h.in ARCH/syscall.h.in VERSION
;
; writes alltypes.h, syscall.h and version.h. prelude.scm stands before it.

(define (each-line name use)
  (call-with-input-file name
    (lambda (in)
      (let loop ((line (read-line in)))
        (unless (eof-object? line)
          (use line)
          (loop (read-line in)))))))

(define (put out . parts)
  (for-each (lambda (part) (display part out)) parts)
  (newline out))

; Where the text has the part, or #f.
(define (place part text)
  (let ((n (string-length part)))
    (let loop ((i 0))
      (cond ((> (+ i n) (string-length text)) #f)
            ((string=? (substring text i (+ i n)) part) i)
            (else (loop (+ i 1)))))))

; Where the last blank is.
(define (last-blank text)
  (let loop ((i (- (string-length text) 1)))
    (if (char=? (string-ref text i) #\space) i (loop (- i 1)))))

(define (guarded out name . declaration)
  (put out "#if defined(__NEED_" name ") && !defined(__DEFINED_" name ")")
  (apply put out declaration)
  (put out "#define __DEFINED_" name)
  (put out "#endif")
  (put out))

; What a line says behind its first word, up to the semicolon.
(define (said line word)
  (substring line (+ (string-length word) 1) (- (string-length line) 1)))

; TYPEDEF type name;
(define (put-typedef out text)
  (let ((i (last-blank text)))
    (guarded out (substring text (+ i 1) (string-length text))
             "typedef " text ";")))

; STRUCT name { ... }; and UNION name { ... };
(define (put-tagged out kind text)
  (guarded out (string-append kind "_" (substring text 0 (place " " text)))
           kind " " text ";"))

(define (put-type out line)
  (cond ((string-prefix? "TYPEDEF " line)
         (put-typedef out (said line "TYPEDEF")))
        ((string-prefix? "STRUCT " line)
         (put-tagged out "struct" (said line "STRUCT")))
        ((string-prefix? "UNION " line)
         (put-tagged out "union" (said line "UNION")))
        (else (put out line))))

(define (put-types out . names)
  (for-each (lambda (name) (each-line name (lambda (l) (put-type out l))))
            names))

; The numbers of the system calls, by both of their names.
(define (put-calls out name)
  (each-line name (lambda (line) (put out line)))
  (each-line name
    (lambda (line)
      (let ((i (place "__NR_" line)))
        (when i
          (put out (substring line 0 i) "SYS_"
               (substring line (+ i 5) (string-length line))))))))

(define (put-version out name)
  (each-line name (lambda (line) (put out "#define VERSION \"" line "\""))))

(define (make types more-types calls version)
  (call-with-output-file "alltypes.h"
    (lambda (out) (put-types out types more-types)))
  (call-with-output-file "syscall.h" (lambda (out) (put-calls out calls)))
  (call-with-output-file "version.h" (lambda (out) (put-version out version))))

(apply make (cdr (command-line)))
