// WanCommands
