; Adding before halving overflows: the two midpoints differ somewhere. Told to be equal where the sum
; does not carry, they cannot differ: unsatisfiable.
(set-logic QF_BV)
(declare-const a (_ BitVec 24))
(declare-const b (_ BitVec 24))
(define-fun halved ((x (_ BitVec 24)) (y (_ BitVec 24))) (_ BitVec 24)
  (bvlshr (bvadd x y) (_ bv1 24)))
(define-fun careful ((x (_ BitVec 24)) (y (_ BitVec 24))) (_ BitVec 24)
  (bvadd (bvand x y) (bvlshr (bvxor x y) (_ bv1 24))))
(assert (bvule a (bvadd a b)))
(assert (distinct (halved a b) (careful a b)))
(check-sat)
(exit)
