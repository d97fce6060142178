// Package main is MinIO's own client, built from its Go module: what minio.copy-keys is measured against.
package main

import (
	"os"

	mc "github.com/minio/mc/cmd"
)

func main() {
	if err := mc.Main(os.Args); err != nil {
		os.Exit(1)
	}
}
