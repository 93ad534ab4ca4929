; SPDX-License-Identifier: MIT
; The second conductor: what scheme1 evaluates as process 1 of a guest. Behind
; this text stands one form that rung writes for each job: (conduct steps exports).
; docs/conductor.md tells more. It is written in the core of the language, so
; that it needs no prelude.

; Reports and what the steps print go out over one line, acknowledgements come in
; over another. A line that nobody holds open forgets what it was sent.
(define acks "/.rung/acks")
(define held (open-output-file acks))
(define line (current-output-port))

; --- Frames: docs/uart.md ---

(define window 16)
(define largest 4096)
(define base 0)                        ; the first frame that is not acknowledged
(define next 0)                        ; the number of the next one
(define pending '())                   ; those between, oldest first
(define total 0)                       ; bytes of the stream

(define crc-table
  (let ((table (make-vector 256 0)))
    (let each ((i 0))
      (if (= i 256)
        table
        (let bit ((n 8) (c i))
          (if (> n 0)
            (bit (- n 1) (if (= 1 (bitwise-and c 1))
                           (bitwise-xor (arithmetic-shift c -1) #xEDB88320)
                           (arithmetic-shift c -1)))
            (begin
              (vector-set! table i c)
              (each (+ i 1)))))))))

(define (crc32 bytes start end sum)
  (let next ((i start) (c (bitwise-xor sum #xFFFFFFFF)))
    (if (= i end)
      (bitwise-xor c #xFFFFFFFF)
      (next (+ i 1)
            (bitwise-xor (vector-ref crc-table (bitwise-and 255 (bitwise-xor c (bytevector-u8-ref bytes i))))
                         (arithmetic-shift c -8))))))

(define (hex n digits)
  (let ((text (make-string digits)))
    (let next ((at (- digits 1)) (n n))
      (if (< at 0)
        text
        (begin
          (string-set! text at (string-ref "0123456789abcdef" (bitwise-and n 15)))
          (next (- at 1) (arithmetic-shift n -4)))))))

(define special
  (let ((table (make-vector 256 #f)))
    (let each ((l '(0 4 9 10 13 17 19 30 125 127)))
      (if (null? l)
        table
        (begin
          (vector-set! table (car l) #t)
          (each (cdr l)))))))

(define (write-escaped bytes start end port)
  (let next ((from start) (i start))
    (if (= i end)
      (write-bytevector bytes port from end)
      (if (vector-ref special (bytevector-u8-ref bytes i))
        (begin
          (write-bytevector bytes port from i)
          (write-u8 125 port)
          (write-u8 (bitwise-xor 64 (bytevector-u8-ref bytes i)) port)
          (next (+ i 1) (+ i 1)))
        (next from (+ i 1))))))

(define (frame type bytes start end)
  (let* ((head (string-append type (hex next 8) (hex (- end start) 4)))
         (sum (crc32 bytes start end (crc32 (string->utf8 head) 0 13 0)))
         (port (open-output-string)))
    (write-string "\x1e;RG" port)
    (write-string head port)
    (write-string (hex sum 8) port)
    (write-char #\space port)
    (write-escaped bytes start end port)
    (newline port)
    (get-output-string port)))

(define (send type bytes start end)
  (let ((made (frame type bytes start end)))
    (set! next (+ next 1))
    (set! pending (append pending (list made)))
    (write-string made line)
    (if (= (- next base) window) (settle) #f)))

; Wait until all that was sent has arrived.
(define (settle)
  (flush-output-port line)
  (if (< base next)
    (begin
      (heard (read-file acks))         ; a line, behind which rung says that the file ends
      (settle))
    #f))

(define (acknowledgement seq)
  (let ((text (string-append "A" (hex seq 8))))
    (string-append "RG" text (hex (crc32 (string->utf8 text) 0 9 0) 8))))

(define (heard text)
  (let* ((end (- (string-length text) 1))
         (start (- end 19))
         (seq (if (< start 0) #f (string->number (substring text (+ start 3) (+ start 11)) 16))))
    (if (and seq (<= base seq) (<= seq next) (string=? (substring text start end) (acknowledgement seq)))
      (if (= seq base)
        (let again ((l pending))       ; it was asked for
          (if (null? l)
            #f
            (begin
              (write-string (car l) line)
              (again (cdr l)))))
        (begin
          (set! pending (list-tail pending (- seq base)))
          (set! base seq)))
      #f)))

; --- The stream: reports, and the content of exports ---

(define (put bytes)
  (let ((length (bytevector-length bytes)))
    (set! total (+ total length))
    (let next ((start 0))
      (if (< start length)
        (let ((end (min length (+ start largest))))
          (send "D" bytes start end)
          (next end))
        #f))))

(define (report . parts)
  (put (string->utf8 (string-append "{\"Kind\":" (apply string-append parts) "}\n"))))

; No report follows.
(define (rest)
  (settle)
  (read-file acks)
  (rest))

; --- Steps ---

(define (conduct steps exports)
  (report "\"ready\"")
  (let each ((l steps) (i 0))
    (if (pair? l)
      (begin
        (step (car l) (number->string i))
        (each (cdr l) (+ i 1)))
      #f))
  (let each ((l exports))
    (if (pair? l)
      (begin
        (export (car l))
        (each (cdr l)))
      #f))
  (report "\"done\"")
  (let ((sum (string->utf8 (number->string total))))
    (send "E" sum 0 (bytevector-length sum)))
  (rest))

(define (step words i)
  (report "\"start\",\"Step\":" i)
  (settle)
  (write-string "." line)              ; so that a step's first empty line does not seem to be the frame's end
  (let ((status (apply run words)))
    (report "\"end\",\"Step\":" i ",\"Ended\":{\"Exit\":" (number->string status) "}"
            (if (and (= status 127) (not (file-exists? (car words)))) ",\"Text\":\"absent\"" ""))
    (if (= status 0) #f (rest))))

; --- Exports ---

; An export is a file: (name missing node), or (name missing node executable) where
; the mode is to be found out. All but the name are parts of reports.
(define (export e)
  (if (not (file-exists? (car e)))
    (begin
      (report (cadr e))
      (rest))
    (export-file (car e) (cddr e))))

(define (export-file name nodes)
  (let* ((bytes (string->utf8 (read-file name)))
         (node (if (null? (cdr nodes)) (car nodes) (if (runs? name bytes) (cadr nodes) (car nodes)))))
    (report "\"export\",\"Size\":" (number->string (bytevector-length bytes)) ",\"Node\":" node)
    (put bytes)))

; No system call here tells a file's mode. But a file that is written anew keeps
; it, and only one that may be executed can be run: so scheme1 takes its place
; for a moment.
(define scheme1 (string->utf8 (read-file "/.rung/scheme1")))

(define (runs? name bytes)
  (overwrite name scheme1)
  (let ((status (run name "/.rung/mode.scm")))
    (overwrite name bytes)
    (= status 42)))

(define (overwrite name bytes)
  (let ((port (open-output-file name)))
    (write-bytevector bytes port)
    (close-port port)))

