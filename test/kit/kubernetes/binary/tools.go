//go:build tools

// Package main pins what is built from this module beside the command itself.
package main

import _ "k8s.io/kubectl/pkg/cmd"
