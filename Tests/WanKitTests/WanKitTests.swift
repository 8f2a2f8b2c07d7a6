// WanKit
