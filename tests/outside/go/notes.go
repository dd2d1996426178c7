package main

import (
	"errors"
	"fmt"
	"strings"

	f_log "github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// verifiers of log keys (Ed25519, algorithm 1) and witness keys (cosignature/v1, algorithm 4).
func verifiers(r request) (note.Verifiers, error) {
	var all []note.Verifier
	for _, key := range r.Keys {
		v, err := note.NewVerifier(key)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	for _, key := range r.Witnesses {
		v, err := f_note.NewVerifierForCosignatureV1(key)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return note.VerifierList(all...), nil
}

// opened is a checkpoint that carries a good signature of every key that was given.
func opened(r request, text []byte) (*f_log.Checkpoint, *note.Note, error) {
	known, err := verifiers(r)
	if err != nil {
		return nil, nil, err
	}
	n, err := note.Open(text, known)
	if err != nil {
		return nil, nil, err
	}
	signed := map[string]bool{}
	for _, sig := range n.Sigs {
		signed[fmt.Sprintf("%s+%08x", sig.Name, sig.Hash)] = true
	}
	for _, key := range append(append([]string{}, r.Keys...), r.Witnesses...) {
		name, rest, _ := strings.Cut(key, "+")
		hash, _, _ := strings.Cut(rest, "+")
		if id := name + "+" + hash; !signed[id] {
			return nil, nil, fmt.Errorf("no signature by %s", id)
		}
	}
	checkpoint := &f_log.Checkpoint{}
	rest, err := checkpoint.Unmarshal([]byte(n.Text))
	if err != nil {
		return nil, nil, err
	}
	if len(rest) > 0 {
		return nil, nil, errors.New("the checkpoint has extension lines")
	}
	return checkpoint, n, nil
}

// openNote answers with origin, size and the times of the cosignatures.
func openNote(r request) (any, error) {
	checkpoint, n, err := opened(r, r.New)
	if err != nil {
		return nil, err
	}
	times := map[string]int64{}
	for _, sig := range n.Sigs {
		if at, err := f_note.CoSigV1Timestamp(sig); err == nil {
			times[sig.Name] = at.Unix()
		}
	}
	return map[string]any{"origin": checkpoint.Origin, "size": checkpoint.Size, "times": times}, nil
}

func treeOf(c *f_log.Checkpoint) (tlog.Tree, error) {
	var root tlog.Hash
	if len(c.Hash) != len(root) {
		return tlog.Tree{}, errors.New("the root is not 32 bytes")
	}
	copy(root[:], c.Hash)
	return tlog.Tree{N: int64(c.Size), Hash: root}, nil
}
