; SPDX-License-Identifier: MIT
; Integers of 61 bits, and integers of 64 bits that wrap.
(t (+))                                         ;=> 0
(t (+ 3))                                       ;=> 3
(t (+ 3 4))                                     ;=> 7
(t (+ 1 2 3 4 5 6))                             ;=> 21
(t (*))                                         ;=> 1
(t (* 4))                                       ;=> 4
(t (* -2 3 4))                                  ;=> -24
(t (- 3))                                       ;=> -3
(t (- 3 4))                                     ;=> -1
(t (- 3 4 5))                                   ;=> -6
(t (list (= 1 1) (= 1 2) (= 1 1 1) (= 1 1 2) (= 5)))        ;=> (#t #f #t #f #t)
(t (list (< 1 2) (< 2 1) (< 1 1) (< 1 2 3) (< 1 3 2)))      ;=> (#t #f #f #t #f)
(t (list (> 1 2) (> 2 1) (> 1 1) (> 3 2 1)))    ;=> (#f #t #f #t)
(t (list (<= 1 2) (<= 2 1) (<= 1 1) (<= 1 1 2))) ;=> (#t #f #t #t)
(t (list (>= 1 2) (>= 2 1) (>= 1 1) (>= 2 2 3))) ;=> (#f #t #t #f)
(t (list (< -1 0) (> -1 -2) (< -5 -4)))         ;=> (#t #t #t)
(t (list (zero? 0) (zero? 1) (positive? 1) (positive? 0) (negative? -1) (negative? 0)))
;=> (#t #f #t #f #t #f)
(t (list (odd? 3) (odd? -3) (odd? 2) (even? 0) (even? -1))) ;=> (#t #t #f #t #f)
(t (list (max 3 4) (max 4 3) (max 1 5 2) (max -1) (min 3 4) (min 4 -3 2)))
;=> (4 4 5 -1 3 -3)
(t (list (abs -7) (abs 7) (square 5) (square -5)))  ;=> (7 7 25 25)
(t (list (quotient 13 4) (quotient -13 4) (quotient 13 -4) (quotient -13 -4)))
;=> (3 -3 -3 3)
(t (list (remainder 13 4) (remainder -13 4) (remainder 13 -4) (remainder -13 -4)))
;=> (1 -1 1 -1)
(t (list (modulo 13 4) (modulo -13 4) (modulo 13 -4) (modulo -13 -4)))
;=> (1 3 -3 -1)
(t (list (modulo 12 4) (modulo -12 4) (modulo 12 -4) (modulo 0 5))) ;=> (0 0 0 0)
(t (list (floor-quotient 5 2) (floor-quotient -5 2) (floor-quotient 5 -2) (floor-quotient -5 -2)))
;=> (2 -3 -3 2)
(t (floor-quotient -4 2))                       ;=> -2
(t (list (floor-remainder -5 2) (truncate-quotient -5 2) (truncate-remainder -5 2)))
;=> (1 -2 -1)
(t (call-with-values (lambda () (floor/ -5 2)) list))       ;=> (-3 1)
(t (call-with-values (lambda () (truncate/ -5 2)) list))    ;=> (-2 -1)
(t (list (gcd 32 -36) (gcd) (gcd 0 5) (lcm 32 -36) (lcm) (lcm 3 0)))
;=> (4 0 5 288 1 0)
(t (list (expt 2 10) (expt 3 0) (expt 0 0) (expt -2 3) (expt 2 59)))
;=> (1024 1 1 -8 576460752303423488)
(t (call-with-values (lambda () (exact-integer-sqrt 17)) list)) ;=> (4 1)
(t (call-with-values (lambda () (exact-integer-sqrt 1152921504606846975)) list))
;=> (1073741823 2147483646)
(t (call-with-values (lambda () (exact-integer-sqrt 0)) list)) ;=> (0 0)

; the ends of the range
(define top 1152921504606846975)
(define bottom -1152921504606846976)
(t (list top bottom))
;=> (1152921504606846975 -1152921504606846976)
(t (- (- top) 1))                               ;=> -1152921504606846976
(t (= (+ bottom top) -1))                       ;=> #t
(t (quotient bottom 1))                         ;=> -1152921504606846976
(t (* 1073741824 1073741823))                   ;=> 1152921503533105152
(t (* -1073741824 1073741824))                  ;=> -1152921504606846976
(t (* 4294967296 268435455))                    ;=> 1152921500311879680
(t (* bottom 1))                                ;=> -1152921504606846976
(t (* 0 bottom))                                ;=> 0
(e (+ top 1))                                   ;=> +: fixnum overflow
(e (+ bottom -1))                               ;=> +: fixnum overflow
(e (- bottom 1))                                ;=> -: fixnum overflow
(e (- bottom))                                  ;=> -: fixnum overflow
(e (- top -1))                                  ;=> -: fixnum overflow
(e (* 1073741824 1073741824))                   ;=> *: fixnum overflow
(e (* bottom -1))                               ;=> *: fixnum overflow
(e (* -1 bottom))                               ;=> *: fixnum overflow
(e (* 4294967296 4294967296))                   ;=> *: fixnum overflow
(e (quotient bottom -1))                        ;=> quotient: fixnum overflow
(t (remainder bottom -1))                       ;=> 0
(t (modulo bottom -1))                          ;=> 0
(e (quotient 1 0))                              ;=> quotient: division by zero
(e (remainder 1 0))                             ;=> remainder: division by zero
(e (modulo 1 0))                                ;=> modulo: division by zero

; bits
(t (list (bitwise-and 12 10) (bitwise-ior 12 10) (bitwise-xor 12 10) (bitwise-not 12)))
;=> (8 14 6 -13)
(t (list (bitwise-and) (bitwise-ior) (bitwise-xor) (bitwise-and 15 7 3) (bitwise-ior 1 2 4)))
;=> (-1 0 0 3 7)
(t (list (bitwise-and -1 255) (bitwise-ior -4 1) (bitwise-xor -1 1) (bitwise-not -1)))
;=> (255 -3 -2 0)
(t (list (arithmetic-shift 1 10) (arithmetic-shift -1 4) (arithmetic-shift 1024 -3) (arithmetic-shift -1 -5)))
;=> (1024 -16 128 -1)
(t (list (arithmetic-shift 5 -100) (arithmetic-shift -5 -100) (arithmetic-shift 0 100) (arithmetic-shift 5 0)))
;=> (0 -1 0 5)
(t (arithmetic-shift 1 59))                     ;=> 576460752303423488
(t (arithmetic-shift -1 60))                    ;=> -1152921504606846976
(e (arithmetic-shift 1 60))                     ;=> arithmetic-shift: fixnum overflow
(e (arithmetic-shift 1 64))                     ;=> arithmetic-shift: fixnum overflow

; text
(t (list (number->string 0) (number->string -15) (number->string 255 16) (number->string -255 2) (number->string 8 8)))
;=> ("0" "-15" "ff" "-11111111" "10")
(t (number->string bottom))                     ;=> "-1152921504606846976"
(t (list (string->number "100") (string->number "-7") (string->number "+7") (string->number "100" 16) (string->number "FF" 16) (string->number "-101" 2)))
;=> (100 -7 7 256 255 -5)
(t (map string->number '("" "-" "+" "a" "1a" "1-" "--1" " 1" "1 " "0x1" "12 3")))
;=> (#f #f #f #f #f #f #f #f #f #f #f)
(t (string->number "8" 8))                      ;=> #f
(t (string->number "-1152921504606846976"))     ;=> -1152921504606846976
(e (string->number "1152921504606846976"))      ;=> number out of range
(e (string->number "-1152921504606846977"))     ;=> number out of range
(e (string->number "99999999999999999999999"))  ;=> number out of range
(e (string->number "fffffffffffffffffff" 16))   ;=> number out of range
(e (number->string 1 1))                        ;=> number->string: not a radix: 1
(e (number->string 1 17))                       ;=> number->string: not a radix: 17
(t (list #xff #XFF #b101 #o17 #d10 #x-10 -0 +5)) ;=> (255 255 5 15 10 -16 0 5)

; 64 bits
(define (x64 high low) (i64-or (i64-shl high 32) low))
(define most (x64 #x7fffffff #xffffffff))
(define least (i64+ most 1))
(t most)                                        ;=> 9223372036854775807
(t least)                                       ;=> -9223372036854775808
(t (i64+ 1 2))                                  ;=> 3
(t (i64+ top 1))                                ;=> 1152921504606846976
(t (i64- (i64+ top 1) 1))                       ;=> 1152921504606846975
(t (integer? (i64- (i64+ top 1) 1)))            ;=> #t
(t (list (i64? most) (i64? 5) (i64? 'a) (integer? most)))   ;=> (#t #t #f #f)
(t (i64- 0 least))                              ;=> -9223372036854775808
(t (i64* most 2))                               ;=> -2
(t (i64* (x64 1 0) (x64 1 0)))                  ;=> 0
(t (i64* 6700417 -641))                         ;=> -4294967297
(t (i64-quotient least -1))                     ;=> -9223372036854775808
(t (i64-remainder least -1))                    ;=> 0
(t (list (i64-quotient -7 2) (i64-remainder -7 2))) ;=> (-3 -1)
(t (u64-quotient -1 10))                        ;=> 1844674407370955161
(t (u64-remainder -1 10))                       ;=> 5
(t (u64-quotient least 2))                      ;=> 4611686018427387904
(t (list (i64-and -1 255) (i64-or 1 2) (i64-xor 5 1))) ;=> (255 3 4)
(t (i64-shl 1 63))                              ;=> -9223372036854775808
(t (i64-shl 1 64))                              ;=> 0
(t (i64-shr least 63))                          ;=> -1
(t (i64-shr least 64))                          ;=> -1
(t (u64-shr least 63))                          ;=> 1
(t (u64-shr least 64))                          ;=> 0
(t (u64-shr -1 1))                              ;=> 9223372036854775807
(t (list (i64< least most) (u64< least most) (i64< -1 0) (u64< -1 0))) ;=> (#t #f #t #f)
(t (list (i64= most (i64- least 1)) (i64= most least)))     ;=> (#t #f)
(t (list (eqv? most (i64- least 1)) (equal? most (i64- least 1)) (eqv? most least))) ;=> (#t #t #f)
(t (memv most (list 1 (i64- least 1))))         ;=> (9223372036854775807)
(t (number->string least 16))                   ;=> "-8000000000000000"
(t (number->string most 2))
;=> "111111111111111111111111111111111111111111111111111111111111111"
(define (bytes n)
  (let loop ((i 0) (n n) (l '()))
    (if (= i 8) (reverse l) (loop (+ i 1) (u64-shr n 8) (cons (i64-and n 255) l)))))
(t (bytes (x64 #x01020304 #x05060708)))         ;=> (8 7 6 5 4 3 2 1)
(t (bytes -2))                                  ;=> (254 255 255 255 255 255 255 255)
(e (i64-quotient most 0))                       ;=> i64-quotient: division by zero
(e (u64-remainder 1 0))                         ;=> u64-remainder: division by zero
(e (i64+ 'a 1))                                 ;=> i64+: not an integer of 64 bits: a
(e (+ most 1))                                  ;=> +: not an integer: 9223372036854775807
