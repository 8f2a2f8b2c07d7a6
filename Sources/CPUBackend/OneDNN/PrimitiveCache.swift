import COneDNN
import Synchronization
import Tensors

/// What a product takes: rows, outputs, inputs; rows follow each other without a gap.
struct ProductKey: Hashable {
  var bf16: Bool
  var m, n, k: Int
}

/// What a convolution without padding takes: one channels-last image and a kernel.
struct WindowKey: Hashable {
  var bf16: Bool
  var height, width, inputs, outputs: Int
  var kernelHeight, kernelWidth: Int
  var strideHeight, strideWidth: Int

  var outputHeight: Int { (height - kernelHeight) / strideHeight + 1 }
  var outputWidth: Int { (width - kernelWidth) / strideWidth + 1 }
}

/// The primitives made so far; making one compiles code, so each is made once.
final class PrimitiveCache: Sendable {
  private enum Key: Hashable {
    case product(ProductKey, template: ObjectIdentifier?)
    case window(WindowKey, template: ObjectIdentifier?)
  }

  /// Past this many, all are forgotten: a run uses a few dozen.
  private static let limit = 2048
  private let made = Mutex<[Key: Primitive]>([:])
  private let threads: Threads

  init(threads: Threads) {
    self.threads = threads
  }

  /// - Parameter template: a primitive whose packed weights this one shall take, if oneDNN has fast code for that.
  func product(_ key: ProductKey, template: Primitive? = nil) -> Primitive {
    guard let primitive = productIfOffered(key, template: template) else {
      preconditionFailure("oneDNN offers no product \(key)")
    }
    return primitive
  }

  func productIfOffered(_ key: ProductKey, template: Primitive? = nil) -> Primitive? {
    // SAFETY: the closure's result is made for this call.
    unsafe lookUp(.product(key, template: template.map(ObjectIdentifier.init)), template) { template, result in
      var shape = key.description
      // SAFETY: the description and the template live through the call; the result is adopted by Primitive.
      return unsafe wan_dnn_matmul_create(threads.engine, &shape, template?.made, &result)
    }
  }

  func window(_ key: WindowKey, template: Primitive? = nil) -> Primitive {
    // SAFETY: as in productIfOffered.
    let made = unsafe lookUp(.window(key, template: template.map(ObjectIdentifier.init)), template) {
      template, result in
      var shape = key.description
      // SAFETY: as in productIfOffered.
      return unsafe wan_dnn_convolution_create(threads.engine, &shape, template?.made, &result)
    }
    guard let made else { preconditionFailure("oneDNN offers no convolution \(key)") }
    return made
  }

  /// Makes a primitive and says how that went.
  private typealias Maker = (Primitive?, inout wan_dnn_result_t) -> UnsafeMutablePointer<wan_dnn_primitive_t>?

  private func lookUp(_ key: Key, _ template: Primitive?, _ make: Maker) -> Primitive? {
    made.withLock { made in
      if let found = made[key] { return found }
      wan_dnn_run_sequentially()
      guard let primitive = unsafe PrimitiveCache.make(template, make) else { return nil }
      if made.count >= PrimitiveCache.limit { made.removeAll() }
      made[key] = primitive
      return primitive
    }
  }

  /// With the template's layout where there is fast code for it, else with a layout of its own.
  private static func make(_ template: Primitive?, _ make: Maker) -> Primitive? {
    var result = WAN_DNN_DONE
    if let template, let made = unsafe make(template, &result) {
      // SAFETY: a primitive just made, and nobody else's.
      let primitive = unsafe Primitive(made, template: template)
      if !primitive.implementation.hasPrefix("ref") { return primitive }
    }
    let made = unsafe make(nil, &result)
    if result == WAN_DNN_EXHAUSTED { MemoryExhaustion.end() }
    guard let made = unsafe made else { return nil }
    // SAFETY: as above.
    return unsafe Primitive(made, template: nil)
  }
}

extension ProductKey {
  func rows(_ m: Int) -> ProductKey {
    var key = self
    key.m = m
    return key
  }

  var description: wan_dnn_matmul_t {
    wan_dnn_matmul_t(
      type: bf16 ? WAN_DNN_BF16 : WAN_DNN_F32, m: Int64(m), n: Int64(n), k: Int64(k))
  }
}

extension WindowKey {
  var description: wan_dnn_convolution_t {
    wan_dnn_convolution_t(
      type: bf16 ? WAN_DNN_BF16 : WAN_DNN_F32, height: Int64(height), width: Int64(width), inputs: Int64(inputs),
      outputs: Int64(outputs), kernel_height: Int64(kernelHeight), kernel_width: Int64(kernelWidth),
      stride_height: Int64(strideHeight), stride_width: Int64(strideWidth))
  }
}
