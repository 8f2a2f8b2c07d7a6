package import Tensors

/// What ``Tensor/isUniquelyReferenced()`` says where the tensor lies: optimised into its caller it may be asked of a copy.
@inline(never)
package func isAlone(_ tensor: inout Tensor) -> Bool { tensor.isUniquelyReferenced() }
