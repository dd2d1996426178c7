package main

import (
	"fmt"

	f_proof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

// checkProof reads a tlog-proof and checks it twice: with golang.org/x/mod and with transparency-dev/merkle.
func checkProof(r request) (any, error) {
	var p f_proof.TLogProof
	if err := p.Unmarshal(r.Proof); err != nil {
		return nil, err
	}
	c, _, err := opened(r, p.Checkpoint)
	if err != nil {
		return nil, err
	}
	tree, err := treeOf(c)
	if err != nil {
		return nil, err
	}
	var record tlog.RecordProof
	var hashes [][]byte
	for _, h := range p.Hashes {
		record = append(record, tlog.Hash(h))
		hashes = append(hashes, append([]byte{}, h[:]...))
	}
	if err := tlog.CheckRecord(record, tree.N, tree.Hash, int64(p.Index), tlog.RecordHash(r.Leaf)); err != nil {
		return nil, fmt.Errorf("x/mod: %w", err)
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(r.Leaf)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, c.Size, leaf, hashes, c.Hash); err != nil {
		return nil, fmt.Errorf("merkle: %w", err)
	}
	return map[string]any{"origin": c.Origin, "index": p.Index, "size": c.Size}, nil
}

// checkConsistency checks that the tree of one checkpoint is the beginning of another's, twice as above.
func checkConsistency(r request) (any, error) {
	older, _, err := opened(r, r.Old)
	if err != nil {
		return nil, err
	}
	newer, _, err := opened(r, r.New)
	if err != nil {
		return nil, err
	}
	from, err := treeOf(older)
	if err != nil {
		return nil, err
	}
	to, err := treeOf(newer)
	if err != nil {
		return nil, err
	}
	var hashes tlog.TreeProof
	for _, h := range r.Hashes {
		if len(h) != tlog.HashSize {
			return nil, fmt.Errorf("a hash of %d bytes", len(h))
		}
		hashes = append(hashes, tlog.Hash(h))
	}
	if from.N > 0 {
		if err := tlog.CheckTree(hashes, to.N, to.Hash, from.N, from.Hash); err != nil {
			return nil, fmt.Errorf("x/mod: %w", err)
		}
	}
	err = proof.VerifyConsistency(rfc6962.DefaultHasher, older.Size, newer.Size, r.Hashes, older.Hash, newer.Hash)
	if err != nil {
		return nil, fmt.Errorf("merkle: %w", err)
	}
	return nil, nil
}
