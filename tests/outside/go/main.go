// Outside checks what tamis exports with the verifiers of other people, and helps to run a witness of theirs.
//
//	outside serve        checks, one JSON request a line on standard input, one JSON answer a line
//	outside agent SOCKET an ssh-agent that holds one Ed25519 key (seed in hexadecimal on standard input)
//
// Nothing of tamis is used here: notes are read by golang.org/x/mod and transparency-dev/formats, trees checked by
// golang.org/x/mod, transparency-dev/merkle and Tessera.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// request is one check. Texts of files are base64 by way of []byte.
type request struct {
	Check     string   `json:"check"`
	Dir       string   `json:"dir"`
	Keys      []string `json:"keys"`
	Witnesses []string `json:"witnesses"`
	Leaf      []byte   `json:"leaf"`
	Proof     []byte   `json:"proof"`
	Old       []byte   `json:"old"`
	New       []byte   `json:"new"`
	Hashes    [][]byte `json:"hashes"`
}

type answer struct {
	Ok    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	Said  any    `json:"said,omitempty"`
}

var checks = map[string]func(request) (any, error){
	"fsck":        fsckDir,
	"note":        openNote,
	"proof":       checkProof,
	"consistency": checkConsistency,
	"tiles":       checkTiles,
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "agent" {
		fail(serveAgent(os.Args[2]))
		return
	}
	if len(os.Args) != 2 || os.Args[1] != "serve" {
		fail(fmt.Errorf("usage: outside serve | outside agent SOCKET"))
	}
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			fail(out.Encode(respond(line)))
		}
		if err != nil {
			return
		}
	}
}

func respond(line []byte) answer {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return answer{Error: err.Error()}
	}
	check, known := checks[r.Check]
	if !known {
		return answer{Error: "unknown check " + r.Check}
	}
	said, err := check(r)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Ok: true, Said: said}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
