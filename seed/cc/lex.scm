; SPDX-License-Identifier: MIT
; cc, a C compiler: the text of a program becomes tokens, and the
; preprocessor. docs/cc.md tells how the compiler works.
;
; A token is
;   a character   a punctuator of one character, and space and newline where
;                 the preprocessor has to see them
;   a symbol      a longer punctuator: <<= and so on, oror, or=, paste; eof
;   a vector      an identifier or a literal, see below
;   a pair        its car is an identifier that is never to be expanded
;   a number      in a macro's body: a parameter, n, or its text, -1 - n

; (fields thing a b ...): thing-a and set-thing-a! and so on, for vectors.
(define-macro (fields prefix . names)
  (define (name . parts)
    (string->symbol (apply string-append (map symbol->string parts))))
  (let loop ((names names) (i 0) (out '()))
    (if (null? names)
        (cons 'begin out)
        (loop (cdr names)
              (+ i 1)
              (cons
                (list 'define-macro (list (name prefix '- (car names)) 'x)
                      (list 'list ''vector-ref 'x i))
                (cons
                  (list 'define-macro
                        (list (name 'set- prefix '- (car names) '!) 'x 'v)
                        (list 'list ''vector-set! 'x i 'v))
                  out))))))

; What identifiers and literals share: kind is id, num, chr or str; macro is
; #f where there is none; text is the spelling; tok is the parser's word for
; it: the kind, or the keyword. An identifier then has what it stands for as a
; name, as a tag, and as a label of the function; a literal has its value.
(fields tok kind macro text tok decl tag label)
(fields lit kind macro text tok value)

(define (literal kind text)
  (vector kind #f text kind #f))

; A macro: params is the number of its parameters or #f; the last one takes
; the rest of the arguments where rest is #t; busy while it is expanded.
; A macro of the compiler's own has its procedure as its body.
(fields macro params body rest busy)

; --- Messages ---

(define src "")                 ; the text of the file, with a NUL at its end
(define pos 0)                  ; where we are in it
(define line 1)
(define file "")
(define tok-line 1)             ; the line of the parser's token
(define files '())              ; what is suspended by #include
(define conds '())              ; open #ifs of this file: the lines they are at

(define (fail-in file line . parts)
  (let ((port (current-error-port)))
    (for-each (lambda (part) (display part port))
              (append (list file ":" line ": ") parts))
    (newline port)
    (exit 1)))
(define (fail-at line . parts)
  (apply fail-in (cons file (cons line parts))))
(define (fail . parts)
  (apply fail-in (cons file (cons tok-line parts))))

; --- Characters ---

; For each character: 0, 1 in an identifier, 2 a digit.
(define ctype (make-vector 256 0))
(define lexers (make-vector 256 #f))
(define operators (make-vector 256 '()))   ; lists of (2nd character . token)

(define-macro (ctype-of c) `(vector-ref ctype (char->integer ,c)))
(define-macro (src-at i) `(string-ref src ,i))

(define (each-char string proc)
  (let loop ((i 0))
    (if (< i (string-length string))
        (begin (proc (string-ref string i))
               (loop (+ i 1))))))

; --- The lexer ---

(define in-line #f)             ; a newline is a token: in a directive
(define keep #f)                ; a space is a token

(define (lex)
  ((vector-ref lexers (char->integer (src-at pos)))))

(define (lex-space)
  (let loop ((i (+ pos 1)))
    (if (or (char=? (src-at i) #\space) (char=? (src-at i) #\tab))
        (loop (+ i 1))
        (set! pos i)))
  (if keep #\space (lex)))

(define (lex-newline)
  (if in-line
      #\newline
      (begin
        (set! pos (+ pos 1))
        (set! line (+ line 1))
        (if keep #\space (lex)))))

; A line that goes on. Words that would grow together over it are refused.
(define (lex-backslash)
  (if (not (char=? (src-at (+ pos 1)) #\newline))
      (fail-at line "a backslash is out of place"))
  (let ((before (if (= pos 0) #\space (src-at (- pos 1))))
        (behind (src-at (+ pos 2))))
    (if (or (and (< 0 (ctype-of before)) (< 0 (ctype-of behind)))
            (and (pair? (vector-ref operators (char->integer before)))
                 (assq behind
                       (vector-ref operators (char->integer before)))))
        (fail-at line "a word that goes on in the next line")))
  (set! pos (+ pos 2))
  (set! line (+ line 1))
  (if keep #\space (lex)))

(define (lex-slash)
  (let ((c (src-at (+ pos 1))))
    (cond ((char=? c #\*)
           (set! pos (skip-comment (+ pos 2)))
           (if keep #\space (lex)))
          ((char=? c #\/)
           (set! pos (skip-line-comment (+ pos 2)))
           (lex))
          (else (lex-operator)))))

; Behind "/*" -> behind "*/".
(define (skip-comment start)
  (let ((first line))
    (let loop ((i start))
      (let ((c (src-at i)))
        (cond ((char=? c #\newline) (set! line (+ line 1)) (loop (+ i 1)))
              ((char=? c #\*)
               (if (char=? (src-at (+ i 1)) #\/) (+ i 2) (loop (+ i 1))))
              ((at-end? i) (fail-at first "a comment has no end"))
              (else (loop (+ i 1))))))))
(define (skip-line-comment i)
  (let loop ((i i))
    (cond ((not (char=? (src-at i) #\newline)) (loop (+ i 1)))
          ((char=? (src-at (- i 1)) #\\)
           (set! line (+ line 1))
           (loop (+ i 1)))
          (else i))))

(define (at-end? i) (= i (- (string-length src) 1)))

(define (lex-word)
  (let loop ((i (+ pos 1)))
    (if (< 0 (ctype-of (src-at i)))
        (loop (+ i 1))
        (let ((text (substring src pos i)))
          (set! pos i)
          (intern text)))))

(define words (make-hash-table))
(define (intern text)
  (let ((symbol (string->symbol text)))
    (or (hash-table-ref/default words symbol #f)
        (let ((id (vector 'id #f text 'id #f #f #f)))
          (hash-table-set! words symbol id)
          id))))

(define (lex-number)
  (let loop ((i (+ pos 1)))
    (let ((c (src-at i)))
      (if (or (< 0 (ctype-of c))
              (char=? c #\.)
              (and (or (char=? c #\+) (char=? c #\-))
                   (memq (src-at (- i 1)) '(#\e #\E #\p #\P))
                   (not (and (memq (src-at (- i 1)) '(#\e #\E))
                             (memq (src-at (+ pos 1)) '(#\x #\X))))))
          (loop (+ i 1))
          (let ((text (substring src pos i)))
            (set! pos i)
            (literal 'num text))))))

; The text of a literal keeps its quotes and escapes.
(define (lex-quoted)
  (let ((end (src-at pos)))
    (if (and (< 0 pos) (char=? (src-at (- pos 1)) #\L))
        (fail-at line "wide characters are not supported"))
    (let loop ((i (+ pos 1)))
      (let ((c (src-at i)))
        (cond ((char=? c end)
               (let ((text (substring src pos (+ i 1))))
                 (set! pos (+ i 1))
                 (literal (if (char=? end #\") 'str 'chr) text)))
              ((char=? c #\\)
               (if (char=? (src-at (+ i 1)) #\newline)
                   (set! line (+ line 1)))
               (loop (+ i 2)))
              ((char=? c #\newline)
               (fail-at line "a quoted text has no end"))
              (else (loop (+ i 1))))))))

(define (lex-single)
  (let ((c (src-at pos)))
    (set! pos (+ pos 1))
    c))

(define (lex-operator)
  (let* ((c (src-at pos))
         (found (assq (src-at (+ pos 1))
                      (vector-ref operators (char->integer c)))))
    (cond ((not found) (lex-single))
          ((and (memq (cdr found) '(<< >>))
                (char=? (src-at (+ pos 2)) #\=))
           (set! pos (+ pos 3))
           (if (eq? (cdr found) '<<) '<<= '>>=))
          (else (set! pos (+ pos 2)) (cdr found)))))

(define (lex-dot)
  (cond ((= 2 (ctype-of (src-at (+ pos 1)))) (lex-number))
        ((and (char=? (src-at (+ pos 1)) #\.)
              (char=? (src-at (+ pos 2)) #\.))
         (set! pos (+ pos 3))
         '...)
        (else (lex-single))))

(define (lex-hash)
  (if (and (not in-line) (starts-line? (- pos 1)))
      (let ((kept keep))
        (set! pos (+ pos 1))
        (set! keep #f)
        (directive)
        (set! keep kept)
        (lex))
      (lex-operator)))
(define (starts-line? i)
  (or (< i 0)
      (char=? (src-at i) #\newline)
      (and (memq (src-at i) '(#\space #\tab)) (starts-line? (- i 1)))))

(define (lex-end)
  (cond ((not (at-end? pos)) (lex-bad))
        ((pair? conds) (fail-at (car conds) "this #if has no #endif"))
        ((pair? files) (pop-file) (lex))
        (else 'eof)))

(define (lex-bad)
  (fail-at line "a character that C does not have"))

(let loop ((i 0))
  (if (< i 256)
      (begin (vector-set! lexers i lex-bad) (loop (+ i 1)))))
(define (set-lexers! chars proc)
  (each-char chars
             (lambda (c) (vector-set! lexers (char->integer c) proc))))
(define (set-ctypes! chars n)
  (each-char chars (lambda (c) (vector-set! ctype (char->integer c) n))))
(let ((letters "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
      (digits "0123456789"))
  (set-ctypes! letters 1)
  (set-ctypes! digits 2)
  (set-lexers! letters lex-word)
  (set-lexers! digits lex-number))
(for-each
  (lambda (entry)
    (set-lexers! (string (car entry)) lex-operator)
    (vector-set! operators (char->integer (car entry)) (cdr entry)))
  '((#\+ (#\+ . ++) (#\= . +=))
    (#\- (#\- . --) (#\= . -=) (#\> . ->))
    (#\< (#\< . <<) (#\= . <=))
    (#\> (#\> . >>) (#\= . >=))
    (#\= (#\= . ==))
    (#\! (#\= . !=))
    (#\& (#\& . &&) (#\= . &=))
    (#\| (#\| . oror) (#\= . or=))
    (#\^ (#\= . ^=))
    (#\* (#\= . *=))
    (#\% (#\= . %=))
    (#\/ (#\= . /=))
    (#\# (#\# . paste))))
(set-lexers! "()[]{};,~?:" lex-single)
(set-lexers! " \t" lex-space)
(set-lexers! "\r" lex-space)
(set-lexers! "\n" lex-newline)
(set-lexers! "\\" lex-backslash)
(set-lexers! "\"'" lex-quoted)
(set-lexers! "/" lex-slash)
(set-lexers! "." lex-dot)
(set-lexers! "#" lex-hash)
(vector-set! lexers 0 lex-end)
(vector-set! lexers 12 lex-space)

; A token as text.
(define (spelling t)
  (cond ((char? t) (string t))
        ((vector? t) (tok-text t))
        ((pair? t) (tok-text (car t)))
        (else
         (case t
           ((oror) "||")
           ((or=) "|=")
           ((paste) "##")
           (else (symbol->string t))))))

; --- Files ---

(define (push-file name)
  (set! files (cons (vector src pos line file conds) files))
  (open-source name))
(define (open-source name)
  (set! src (string-append (read-file name) "\n" (string (integer->char 0))))
  (set! pos 0)
  (set! line 1)
  (set! file name)
  (set! conds '()))
(define (pop-file)
  (let ((f (car files)))
    (set! files (cdr files))
    (set! src (vector-ref f 0))
    (set! pos (vector-ref f 1))
    (set! line (vector-ref f 2))
    (set! file (vector-ref f 3))
    (set! conds (vector-ref f 4))))

; --- Where tokens come from ---

; The rest of the text that is expanded, and what is around it: the macro it
; came from, the rest of the text around it, and so on; at the end () where a
; file follows, or #f where nothing does.
(define input '())
(define around '())

(define (next-raw)
  (cond ((pair? input)
         (let ((t (car input)))
           (set! input (cdr input))
           t))
        ((pair? around)
         (set-macro-busy! (car around) #f)
         (set! input (cadr around))
         (set! around (cddr around))
         (next-raw))
        (around (lex))
        (else 'eof)))

(define (push-input tokens macro)
  (set-macro-busy! macro #t)
  (set! around (cons macro (cons input around)))
  (set! input tokens))

; The next token with macros expanded, and possibly a space.
(define (next-expanded)
  (let ((t (next-raw)))
    (if (and (vector? t) (tok-macro t))
        (expand-macro t (tok-macro t))
        t)))

(define call-line 1)            ; of the macro call that comes from the file
(define (expand-macro t macro)
  (cond ((macro-busy macro) (cons t '()))
        ((procedure? (macro-body macro)) ((macro-body macro)))
        ((not (macro-params macro))
         (push-input (macro-body macro) macro)
         (next-expanded))
        ((paren-follows?)
         (if (null? around) (set! call-line line))
         (let ((args (collect-args t macro)))
           (push-input (substitute macro args) macro)
           (next-expanded)))
        (else t)))

; Whether the next token is "(", which is then gone.
(define (paren-follows?)
  (let ((t (next-raw)))
    (cond ((eqv? t #\() #t)
          ((eqv? t #\space) (paren-follows?))
          (else
           (set! input (cons t input))
           #f))))

; A list of tokens, expanded on its own.
(define (expand-list tokens)
  (let ((old-input input) (old-around around))
    (set! input tokens)
    (set! around #f)
    (let loop ((out '()))
      (let ((t (next-expanded)))
        (if (eq? t 'eof)
            (begin
              (set! input old-input)
              (set! around old-around)
              (reverse out))
            (loop (cons t out)))))))

; The arguments of a call, a vector of lists of tokens.
(define (collect-args id macro)
  (let* ((n (macro-params macro))
         (args (make-vector (max n 1) '()))
         (kept keep)
         (start line))
    (set! keep #t)
    (let loop ((i 0) (depth 0) (out '()))
      (let ((t (next-raw)))
        (cond
          ((and (= depth 0)
                (or (eqv? t #\))
                    (and (eqv? t #\,)
                         (not (and (macro-rest macro) (= i (- n 1)))))))
           (if (>= i (vector-length args))
               (fail-at start (tok-text id) ": too many arguments"))
           (vector-set! args i (trim (reverse (trim out))))
           (if (eqv? t #\,)
               (loop (+ i 1) 0 '())
               (check-args id macro i (vector-ref args 0) start)))
          ((eq? t 'eof)
           (fail-at start (tok-text id) ": the arguments have no end"))
          (else
           (loop i
                 (cond ((eqv? t #\() (+ depth 1))
                       ((eqv? t #\)) (- depth 1))
                       (else depth))
                 (cons t out))))))
    (set! keep kept)
    args))
(define (check-args id macro last first start)
  (let ((n (macro-params macro)))
    (if (not (or (= last (- n 1))
                 (and (= n 0) (null? first))
                 (and (macro-rest macro) (= last (- n 2)))))
        (fail-at start (tok-text id) ": the number of arguments is wrong"))))

(define (trim tokens)
  (if (and (pair? tokens) (eqv? (car tokens) #\space))
      (trim (cdr tokens))
      tokens))

; The body of a macro with its arguments in place.
(define (substitute macro args)
  (let ((expanded (make-vector (vector-length args) #f)))
    (define (arg-expanded i)
      (or (vector-ref expanded i)
          (begin
            (vector-set! expanded i (expand-list (vector-ref args i)))
            (vector-ref expanded i))))
    (define (raw t)                      ; as operands of ## are
      (cond ((not (number? t)) (list t))
            ((< t 0) (list (stringify (vector-ref args (- -1 t)))))
            (else (vector-ref args t))))
    (let loop ((body (macro-body macro)) (out '()))   ; out is in reverse
      (if (null? body)
          (reverse out)
          (let ((t (car body)) (rest (cdr body)))
            (cond
              ((eq? t 'paste)
               (loop (cdr rest)
                     (join out (raw (car rest))
                           (and (macro-rest macro)
                                (eqv? (car rest)
                                      (- (macro-params macro) 1))))))
              ((not (number? t)) (loop rest (cons t out)))
              ((or (< t 0) (and (pair? rest) (eq? (car rest) 'paste)))
               (loop rest (append-reverse (mark (raw t)) out)))
              (else
               (loop rest (append-reverse (arg-expanded t) out)))))))))
(define (append-reverse tokens out)
  (if (null? tokens)
      out
      (append-reverse (cdr tokens) (cons (car tokens) out))))
; An empty operand of ## leaves a mark, which is a space.
(define (mark tokens)
  (if (null? tokens) (list #\space) tokens))

; out, in reverse, ## tokens. A comma before the rest of the arguments goes
; where there are none, and is not pasted.
(define (join out tokens rest?)
  (cond ((and rest? (pair? out) (eqv? (car out) #\,))
         (if (null? tokens) (cdr out) (append-reverse tokens out)))
        ((null? tokens) out)
        ((or (null? out) (eqv? (car out) #\space))
         (append-reverse tokens out))
        (else
         (append-reverse (cdr tokens)
                         (cons (paste (car out) (car tokens))
                               (cdr out))))))

(define (paste a b)
  (let ((text (string-append (spelling a) (spelling b)))
        (old-src src) (old-pos pos) (old-line in-line))
    (set! src (string-append text "\n" (string (integer->char 0))))
    (set! pos 0)
    (set! in-line #t)
    (let ((t (lex)))
      (if (not (= pos (string-length text)))
          (fail-at line "## makes no token of " text))
      (set! src old-src)
      (set! pos old-pos)
      (set! in-line old-line)
      t)))

(define (stringify tokens)
  (let loop ((tokens tokens) (space #f) (out '("\"")))
    (cond ((null? tokens)
           (literal 'str (apply string-append (reverse (cons "\"" out)))))
          ((eqv? (car tokens) #\space) (loop (cdr tokens) #t out))
          (else
           (loop (cdr tokens)
                 #f
                 (cons (quote-text (car tokens))
                       (if space (cons " " out) out)))))))
(define (quote-text t)
  (if (and (vector? t) (memq (tok-kind t) '(str chr)))
      (let ((out '()))
        (each-char (tok-text t)
                   (lambda (c)
                     (if (memv c '(#\" #\\)) (set! out (cons #\\ out)))
                     (set! out (cons c out))))
        (list->string (reverse out)))
      (spelling t)))

; --- Directives ---

; Behind the # of a directive; the end is before its newline.
(define (directive)
  (set! in-line #t)
  (let ((t (lex)))
    (cond ((eqv? t #\newline) #f)
          ((and (vector? t) (eq? (tok-kind t) 'id))
           (run-directive (string->symbol (tok-text t))))
          (else (fail-at line "a directive without a name"))))
  (set! in-line #f))

(define (run-directive name)
  (case name
    ((define) (define-directive))
    ((undef) (set-tok-macro! (macro-name) #f) (end-of-line))
    ((include) (include-directive))
    ((ifdef)
     (let ((yes (tok-macro (macro-name))))
       (end-of-line)
       (open-cond yes)))
    ((ifndef)
     (let ((yes (not (tok-macro (macro-name)))))
       (end-of-line)
       (open-cond yes)))
    ((if) (open-cond (condition-holds?)))
    ((elif else)
     (if (null? conds) (fail-at line "#" name " without an #if"))
     (rest-of-line)
     (skip-lines #f))
    ((endif)
     (if (null? conds) (fail-at line "#endif without an #if"))
     (end-of-line)
     (set! conds (cdr conds)))
    ((error) (fail-at line "#error" (rest-of-line)))
    ((warning) (rest-of-line))
    (else (fail-at line "#" name " is not supported"))))

(define (macro-name)
  (let ((t (lex)))
    (if (not (and (vector? t) (eq? (tok-kind t) 'id)
                  (not (string=? (tok-text t) "defined"))))
        (fail-at line "the name of a macro is missing"))
    t))
(define (line-tokens)
  (let loop ((out '()))
    (let ((t (lex)))
      (if (eqv? t #\newline)
          (reverse out)
          (loop (cons t out))))))
(define (end-of-line)
  (if (pair? (line-tokens))
      (fail-at line "more text than the directive takes")))
(define (rest-of-line)
  (let ((start pos))
    (set! pos (skip-text pos))
    (substring src start pos)))

(define (define-directive)
  (let* ((id (macro-name))
         (params (and (char=? (src-at pos) #\()
                      (begin (set! pos (+ pos 1)) (macro-params-list))))
         (rest (and params (pair? params) (eq? (car params) '...)))
         (names (if rest (cdr params) (or params '())))
         (body (begin (set! keep #t) (line-tokens))))
    (set! keep #f)
    (set-tok-macro! id (make-macro params rest (reverse names) body))))
; names: those of the parameters; params is #f for a macro without a list.
(define (make-macro params rest names body)
  (vector (and params (length names))
          (compile-body (trim body) names (pair? params) params)
          rest
          #f))

; Behind "(": the names in reverse, behind ... where there is one.
(define (macro-params-list)
  (let loop ((names '()))
    (let ((t (lex)))
      (cond ((and (eqv? t #\)) (null? names)) '())
            ((eq? t '...)
             (expect-paren)
             (cons '... (cons (intern "__VA_ARGS__") names)))
            ((and (vector? t) (eq? (tok-kind t) 'id))
             (let ((after (lex)))
               (cond ((eqv? after #\,) (loop (cons t names)))
                     ((eqv? after #\)) (cons t names))
                     ((eq? after '...)
                      (expect-paren)
                      (cons '... (cons t names)))
                     (else (bad-params)))))
            (else (bad-params))))))
(define (expect-paren)
  (if (not (eqv? (lex) #\))) (bad-params)))
(define (bad-params)
  (fail-at line "the parameters of this macro are wrong"))

; Names of parameters become numbers; no spaces remain around ## and at the
; end. In a macro without parameters # stands for itself.
(define (compile-body tokens names any function)
  (define (index t)
    (let loop ((names names) (i 0))
      (cond ((null? names) #f)
            ((eq? (car names) t) i)
            (else (loop (cdr names) (+ i 1))))))
  (let loop ((tokens tokens) (out '()))
    (if (null? tokens)
        (begin
          (if (and (pair? out) (eq? (car (trim out)) 'paste))
              (fail-at line "## at the end of a macro"))
          (fold-pastes (reverse (trim out))))
        (let ((t (car tokens)) (rest (cdr tokens)))
          (cond ((eq? t 'paste)
                 (if (null? (trim out))
                     (fail-at line "## at the start of a macro"))
                 (loop (trim rest) (cons t (trim out))))
                ((and function (eqv? t #\#))
                 (let* ((rest (trim rest))
                        (i (and (pair? rest) (index (car rest)))))
                   (if (not i) (fail-at line "# without a parameter"))
                   (loop (cdr rest) (cons (- -1 i) out))))
                ((index t)
                 (loop rest (cons (index t) out)))
                (else (loop rest (cons t out))))))))
; What is pasted without parameters is pasted once and for all.
(define (fold-pastes body)
  (let loop ((body body) (out '()))
    (cond ((null? body) (reverse out))
          ((and (eq? (car body) 'paste)
                (not (number? (car out)))
                (not (number? (cadr body)))
                (not (and (pair? (cddr body)) (eq? (caddr body) 'paste)))
                (not (and (pair? (cdr out)) (eq? (cadr out) 'paste))))
           (loop (cddr body)
                 (cons (paste (car out) (cadr body)) (cdr out))))
          (else (loop (cdr body) (cons (car body) out))))))

(define (include-directive)
  (let loop ()
    (if (memv (src-at pos) '(#\space #\tab))
        (begin (set! pos (+ pos 1)) (loop))))
  (let* ((c (src-at pos))
         (name (if (memv c '(#\" #\<))
                   (quoted-name (if (char=? c #\<) #\> #\"))
                   (expanded-name))))
    (end-of-line)
    (if (> (length files) 100) (fail-at line "#include goes too deep"))
    (if (not (file-exists? name))
        (fail-at line "there is no file " name))
    (set! in-line #f)
    (push-file name)))
(define (quoted-name end)
  (set! pos (+ pos 1))
  (let loop ((i pos))
    (cond ((char=? (src-at i) end)
           (let ((name (substring src pos i)))
             (set! pos (+ i 1))
             name))
          ((char=? (src-at i) #\newline)
           (fail-at line "the file's name has no end"))
          (else (loop (+ i 1))))))
(define (expanded-name)
  (let ((tokens (expand-list (line-tokens))))
    (if (not (and (pair? tokens)
                  (vector? (car tokens))
                  (eq? (tok-kind (car tokens)) 'str)))
        (fail-at line "the file's name is missing"))
    (literal-value (car tokens))))

; --- Conditions ---

(define (open-cond yes)
  (set! conds (cons line conds))
  (if (not yes) (skip-lines #t)))

; From the end of a line that does not hold to the end of the line from which
; on text counts again: #endif, or, with any #t, an #else or an #elif that
; holds.
(define (skip-lines any)
  (let loop ((depth 0))
    (set! pos (skip-text pos))
    (if (at-end? (+ pos 1))
        (fail-at (car conds) "this #if has no #endif"))
    (set! pos (+ pos 1))
    (set! line (+ line 1))
    (case (directive-name)
      ((if ifdef ifndef) (loop (+ depth 1)))
      ((endif)
       (if (< 0 depth)
           (loop (- depth 1))
           (begin (end-of-line) (set! conds (cdr conds)))))
      ((else)
       (if (or (< 0 depth) (not any)) (loop depth) (end-of-line)))
      ((elif)
       (if (or (< 0 depth) (not any) (not (condition-holds?))) (loop depth)))
      (else (loop depth)))))

; The name of the directive in the line that starts here, or #f.
(define (directive-name)
  (let loop ((i pos))
    (let ((c (src-at i)))
      (cond ((or (char=? c #\space) (char=? c #\tab)) (loop (+ i 1)))
            ((char=? c #\#)
             (set! pos (+ i 1))
             (let ((t (lex)))
               (and (vector? t) (string->symbol (tok-text t)))))
            (else #f)))))

; The end of this line, comments and quoted text left out.
(define (skip-text i)
  (let loop ((i i))
    (let ((c (src-at i)))
      (cond ((char=? c #\newline)
             (if (char=? (src-at (- i 1)) #\\)
                 (begin (set! line (+ line 1)) (loop (+ i 1)))
                 i))
            ((char=? c #\/)
             (cond ((char=? (src-at (+ i 1)) #\*)
                    (loop (skip-comment (+ i 2))))
                   ((char=? (src-at (+ i 1)) #\/)
                    (loop (skip-line-comment (+ i 2))))
                   (else (loop (+ i 1)))))
            ((or (char=? c #\") (char=? c #\'))
             (loop (skip-quoted (+ i 1) c)))
            (else (loop (+ i 1)))))))
(define (skip-quoted i end)
  (let ((c (src-at i)))
    (cond ((char=? c end) (+ i 1))
          ((char=? c #\newline) i)
          ((and (char=? c #\\) (not (char=? (src-at (+ i 1)) #\newline)))
           (skip-quoted (+ i 2) end))
          (else (skip-quoted (+ i 1) end)))))

; The rest of the line as a condition: integers are long in here, words 0.
(define in-condition #f)
(define (condition-holds?)
  (let* ((tokens (expand-list (replace-defined (line-tokens))))
         (old-input input) (old-around around) (old-line tok-line)
         (old-in-line in-line))
    (set! input tokens)
    (set! around #f)
    (set! tok-line line)
    (set! in-condition #t)
    (next)
    (let ((value (constant-value (parse-conditional))))
      (if (not (eq? tok 'eof))
          (fail-at line "this condition cannot be understood"))
      (set! in-condition #f)
      (set! in-line old-in-line)
      (set! input old-input)
      (set! around old-around)
      (set! tok-line old-line)
      (not (i64= value 0)))))

(define (replace-defined tokens)
  (cond ((null? tokens) '())
        ((and (vector? (car tokens))
              (string=? (tok-text (car tokens)) "defined"))
         (let* ((rest (cdr tokens))
                (paren (and (pair? rest) (eqv? (car rest) #\()))
                (rest (if paren (cdr rest) rest)))
           (if (not (and (pair? rest) (vector? (car rest))
                         (or (not paren)
                             (and (pair? (cdr rest))
                                  (eqv? (cadr rest) #\))))))
               (fail-at line "defined needs the name of a macro"))
           (cons (literal 'num (if (tok-macro (car rest)) "1" "0"))
                 (replace-defined (if paren (cddr rest) (cdr rest))))))
        (else (cons (car tokens) (replace-defined (cdr tokens))))))

; --- Macros that are there from the start ---

(define (define-own name proc)
  (set-tok-macro! (intern name) (vector #f proc #f #f)))
; "NAME" or "NAME=VALUE"; VALUE is 1 where it is left out.
(define (define-option text)
  (let* ((n (string-length text))
         (at (let loop ((i 0))
               (if (or (= i n) (char=? (string-ref text i) #\=))
                   i
                   (loop (+ i 1))))))
    (set! src (string-append "define " (substring text 0 at) " "
                             (if (< at n) (substring text (+ at 1) n) "1")
                             "\n" (string (integer->char 0))))
    (set! pos 0)
    (set! line 1)
    (set! file "-D")
    (directive)))

; --- What the parser sees ---

(define tok 'eof)               ; a punctuator, a keyword, id, num, chr or str
(define val #f)                 ; the identifier or literal
(define saved #f)               ; a token that was pushed back

(define (next)
  (if saved
      (let ((t saved))
        (set! saved #f)
        (set-token! t))
      (let ((t (next-expanded)))
        (if (eqv? t #\space)
            (next)
            (begin
              (if (not in-condition) (set! tok-line line))
              (set-token! t))))))
(define token #f)               ; the token itself
(define (set-token! t)
  (set! token t)
  (cond ((vector? t) (set! val t) (set! tok (tok-tok t)))
        ((pair? t) (set! val (car t)) (set! tok (tok-tok val)))
        (else (set! tok t))))

; What comes behind the current token, an identifier.
(define (peek)
  (let ((here val))
    (next)
    (let ((ahead tok))
      (set! saved token)
      (set! tok 'id)
      (set! val here)
      ahead)))

; Go on behind a punctuator or keyword that must be here, or may be.
(define (expect t)
  (if (eqv? tok t)
      (next)
      (fail (spelling t) " is missing before " (tok-name))))
(define (accept t)
  (and (eqv? tok t) (begin (next) #t)))
(define (tok-name)
  (case tok
    ((id num chr str) (tok-text val))
    ((eof) "the end of the file")
    (else (spelling tok))))
