// Package main is the real MinIO server, built from its own Go module: no package registry ships the binary.
package main

import (
	"os"

	minio "github.com/minio/minio/cmd"
)

func main() { minio.Main(os.Args) }
