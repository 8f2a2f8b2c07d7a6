// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "swift-wan-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "swift-wan", path: ".."),
    // Without its traits it counts no allocations and needs no library of the system.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "Kernels",
      dependencies: [
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "CPUBackend", package: "swift-wan"),
        .product(name: "Tensors", package: "swift-wan"),
      ],
      path: "Benchmarks/Kernels",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ],
  swiftLanguageModes: [.v6]
)
