package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// fsckDir is Tessera's check of a whole tlog-tiles directory: every entry, every tile, the root.
func fsckDir(r request) (any, error) {
	if len(r.Keys) != 1 {
		return nil, fmt.Errorf("fsck takes one key")
	}
	v, err := note.NewVerifier(r.Keys[0])
	if err != nil {
		return nil, err
	}
	f := fsck.New(v.Name(), v, client.FileFetcher{Root: r.Dir}, leafHashes, fsck.Opts{N: 2})
	return nil, f.Check(context.Background())
}

func leafHashes(bundle []byte) ([][]byte, error) {
	b := &api.EntryBundle{}
	if err := b.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range b.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// directory reads tiles of golang.org/x/mod's naming from a tlog-tiles directory, whose paths lack the height.
type directory struct{ root string }

func (d directory) Height() int { return 8 }

func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		path := filepath.Join(d.root, strings.Replace(t.Path(), "tile/8/", "tile/", 1))
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

// checkTiles proves every record and every earlier tree from the tiles with golang.org/x/mod alone.
func checkTiles(r request) (any, error) {
	text, err := os.ReadFile(filepath.Join(r.Dir, "checkpoint"))
	if err != nil {
		return nil, err
	}
	c, _, err := opened(r, text)
	if err != nil {
		return nil, err
	}
	tree, err := treeOf(c)
	if err != nil {
		return nil, err
	}
	reader := tlog.TileHashReader(tree, directory{r.Dir})
	entries, err := readEntries(r.Dir, tree.N)
	if err != nil {
		return nil, err
	}
	for i, entry := range entries {
		p, err := tlog.ProveRecord(tree.N, int64(i), reader)
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckRecord(p, tree.N, tree.Hash, int64(i), tlog.RecordHash(entry)); err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
	}
	for n := int64(1); n <= tree.N; n += 1 + tree.N/64 {
		root, err := tlog.TreeHash(n, reader)
		if err != nil {
			return nil, err
		}
		p, err := tlog.ProveTree(tree.N, n, reader)
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckTree(p, tree.N, tree.Hash, n, root); err != nil {
			return nil, fmt.Errorf("tree of %d: %w", n, err)
		}
	}
	return map[string]any{"size": tree.N}, nil
}

func readEntries(dir string, size int64) ([][]byte, error) {
	f := client.FileFetcher{Root: dir}
	var all [][]byte
	for i := uint64(0); int64(len(all)) < size; i++ {
		data, err := f.ReadEntryBundle(context.Background(), i, uint8(min(size-int64(len(all)), 256)))
		if err != nil {
			return nil, err
		}
		b := &api.EntryBundle{}
		if err := b.UnmarshalText(data); err != nil {
			return nil, err
		}
		if len(b.Entries) == 0 {
			return nil, fs.ErrNotExist
		}
		all = append(all, b.Entries...)
	}
	return all[:size], nil
}
