import Tensors

// Float32 tensors of one shape, taken element by element into a new one: the result is all that is allocated.

/// y = f(a)
func elementwise(_ a: Tensor, _ f: (Float) -> Float) -> Tensor {
  Tensor.filled(shape: a.shape) { y in
    a.withSpan(of: Float.self) { a in
      for i in 0..<y.count { y[i] = f(a[i]) }
    }
  }
}

/// y = f(a, b)
func elementwise(_ a: Tensor, _ b: Tensor, _ f: (Float, Float) -> Float) -> Tensor {
  Tensor.filled(shape: a.shape) { y in
    a.withSpan(of: Float.self) { a in
      b.withSpan(of: Float.self) { b in
        for i in 0..<y.count { y[i] = f(a[i], b[i]) }
      }
    }
  }
}

/// y = f(a, b, c)
func elementwise(_ a: Tensor, _ b: Tensor, _ c: Tensor, _ f: (Float, Float, Float) -> Float) -> Tensor {
  Tensor.filled(shape: a.shape) { y in
    a.withSpan(of: Float.self) { a in
      b.withSpan(of: Float.self) { b in
        c.withSpan(of: Float.self) { c in
          for i in 0..<y.count { y[i] = f(a[i], b[i], c[i]) }
        }
      }
    }
  }
}

/// y = f(a, b, c, d)
func elementwise(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, _ f: (Float, Float, Float, Float) -> Float
) -> Tensor {
  Tensor.filled(shape: a.shape) { y in
    a.withSpan(of: Float.self) { a in
      b.withSpan(of: Float.self) { b in
        c.withSpan(of: Float.self) { c in
          d.withSpan(of: Float.self) { d in
            for i in 0..<y.count { y[i] = f(a[i], b[i], c[i], d[i]) }
          }
        }
      }
    }
  }
}
