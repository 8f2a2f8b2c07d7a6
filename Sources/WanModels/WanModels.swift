// WanModels
