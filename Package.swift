// swift-tools-version: 6.2

import PackageDescription

let features: [SwiftSetting] = [
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
  .enableUpcomingFeature("ExistentialAny"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
  .enableUpcomingFeature("InternalImportsByDefault"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
  .enableUpcomingFeature("MemberImportVisibility"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0461-async-function-isolation.md
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0470-isolated-conformances.md
  .enableUpcomingFeature("InferIsolatedConformances"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0481-weak-let.md
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0458-strict-memory-safety.md
  .strictMemorySafety(),
]

/// Warnings of this package stop the build where the checks run (.ci/run sets the variable), and only there: a newer
/// compiler's warnings are nobody's reason not to build.
let areWarningsErrors = Context.environment["WAN_WARNINGS_AS_ERRORS"] == "1"
/// The tests run optimised code, as users do, and reach into its modules all the same (scripts/test sets the variable).
/// It is no part of a usual build: a package with unsafe flags could not be depended on.
let isTestable = Context.environment["WAN_TESTABLE"] == "1"
let settings =
  features + (areWarningsErrors ? [.treatAllWarnings(as: .error)] : [])
  + (isTestable ? [.unsafeFlags(["-enable-testing"])] : [])
/// The tests themselves are not worth an optimiser's time.
let testSettings = settings + (isTestable ? [.unsafeFlags(["-Onone"])] : [])

/// A library target and the targets it may import: the arrows of Documentation/Structure.md.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], data: [String] = []) -> Target {
  .testTarget(name: name + "Tests", dependencies: dependencies, exclude: data, swiftSettings: testSettings)
}

let package = Package(
  name: "swift-wan",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "WanKit", targets: ["WanKit"]),
    .library(name: "CPUBackend", targets: ["CPUBackend"]),
    .library(name: "Layers", targets: ["Layers"]),
    .library(name: "Media", targets: ["Media"]),
    .library(name: "Sampling", targets: ["Sampling"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "WanModels", targets: ["WanModels"]),
    .executable(name: "wan", targets: ["wan"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    // The file descriptors that swift-subprocess takes.
    .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
    // What the client is made of: its threads, and the server of the tests.
    .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
  ],
  targets: [
    .target(name: "CAllocation", cSettings: areWarningsErrors ? [.treatAllWarnings(as: .error)] : []),
    .target(name: "CDigests", cSettings: areWarningsErrors ? [.treatAllWarnings(as: .error)] : []),
    .target(
      name: "CKernels",
      // A folder for each operation; their files, and the shared ones, include each other by name.
      cSettings: ["attention", "product", "bytes", "codes", "convolution", "norms", "elementwise", "rates", "shared"]
        .map {
          .headerSearchPath($0)
        } + (areWarningsErrors ? [.treatAllWarnings(as: .error)] : [])),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
    library("Files"),
    library("Tensors", ["Files"]),
    library("CPUBackend", ["Tensors", "CKernels", "COneDNN"]),
    library("Layers", ["Tensors"]),
    library("Checkpoints", ["Files", "Tensors"]),
    library("Tokenization", ["Files"]),
    library("WanModels", ["Layers", "Tensors"]),
    library("Sampling", ["Tensors"]),
    library(
      "Media",
      [
        "Files", .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
    library(
      "Hub",
      [
        "CDigests", "Files", .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    library(
      "WanKit",
      [
        "Checkpoints", "Files", "Layers", "Media", "Sampling", "Tensors", "Tokenization", "WanModels",
        .product(name: "Logging", package: "swift-log"),
      ]),
    library(
      "WanCommands",
      [
        "CPUBackend", "Checkpoints", "Files", "Hub", "Layers", "Media", "Sampling", "Tensors", "WanKit", "WanModels",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "wan",
      dependencies: ["CAllocation", "WanCommands"],
      swiftSettings: settings,
      // As it is shipped the command carries Swift's runtime (scripts/install sets the variable).
      linkerSettings: Context.environment["WAN_STATIC"] == "1" ? [.unsafeFlags(["-static-stdlib"])] : []),

    .target(
      name: "TestSupport", dependencies: ["Tensors", "Checkpoints"], path: "Tests/TestSupport",
      swiftSettings: settings),
    .target(
      name: "TestHub",
      dependencies: [
        "Hub", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      path: "Tests/TestHub", swiftSettings: settings),
    tests("CKernels", ["CKernels"]),
    tests("Files", ["Files", "Tensors", "TestSupport", .product(name: "Subprocess", package: "swift-subprocess")]),
    tests("Hub", ["CDigests", "Files", "Hub", "TestHub", "TestSupport"]),
    tests("Tensors", ["Tensors", "TestSupport"]),
    tests("CPUBackend", ["CPUBackend", "Tensors", "TestSupport"]),
    tests("Layers", ["Layers", "Tensors", "TestSupport"]),
    tests("Checkpoints", ["Checkpoints", "Files", "Tensors", "TestSupport"]),
    tests("Tokenization", ["Files", "Tokenization", "TestSupport"], data: ["Fixtures"]),
    tests("WanModels", ["WanModels", "CPUBackend", "Layers", "Tensors", "TestSupport"], data: ["Fixtures"]),
    tests("Sampling", ["Sampling", "Tensors", "TestSupport"]),
    tests("Media", ["Media", "TestSupport"]),
    tests(
      "WanKit",
      ["WanKit", "CPUBackend", "Checkpoints", "Layers", "Media", "Sampling", "Tensors", "TestSupport", "WanModels"]),
    tests(
      "WanCommands",
      [
        "WanCommands", "Media", "Tensors", "TestHub", "TestSupport", "WanKit",
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
    tests(
      "Parity",
      [
        "CPUBackend", "Layers", "Media", "Sampling", "Tensors", "TestSupport", "Tokenization", "WanKit",
        "WanModels",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
