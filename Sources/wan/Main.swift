import ArgumentParser
import WanCommands

@main
struct Main {
  static func main() async {
    await WanCommand.main()
  }
}
