; SPDX-License-Identifier: MIT
; cc: floating point, which is all done by functions of the runtime library.
(define (float-node text) (fail "floats are not there yet"))
(define (cast-float n type) (fail "floats are not there yet"))
(define (float-operation op type a b) (fail "floats are not there yet"))
(define (float-compare op type a b) (fail "floats are not there yet"))
(define (float-negative n) (fail "floats are not there yet"))
