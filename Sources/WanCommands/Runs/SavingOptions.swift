import ArgumentParser

/// Where a run is saved while it goes.
struct SavingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Save where the run stands in this folder after every step; wan resume goes on from there after a kill or a power "
        + "cut, to the same clip.", valueName: "DIR"), completion: .directory, transform: PathArgument.path)
  var saveRun: String?

  @OptionGroup(title: "Saving") var keeping: KeepingOptions

  func validate() throws {
    guard saveRun != nil || keeping.saveEvery == nil && !keeping.keepRun else {
      throw ValidationError("--save-every and --keep-run go with --save-run")
    }
  }
}

/// How a run that is saved is kept.
struct KeepingOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Save when so many minutes have passed, instead of after every step.", valueName: "minutes"))
  var saveEvery: Double?

  @Flag(help: "Keep the saved run when its clip is finished.")
  var keepRun = false

  func validate() throws {
    if let saveEvery, !(0...100_000).contains(saveEvery) {
      throw ValidationError("--save-every \(saveEvery) is not from 0 to 100000 minutes")
    }
  }

  var seconds: Double { (saveEvery ?? 0) * 60 }
}
