// Gostore issues the statements of the Go store on a file, through the driver
// that the Go store uses. It takes the file's path, then operations of one word
// and its arguments: set KEY VALUE, many KEY VALUE, delete KEY.
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"

	_ "modernc.org/sqlite"
)

const kind = "k"

const now = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')"

const schema = `
CREATE TABLE IF NOT EXISTS zestor_kv (
  kind       TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  value      BLOB    NOT NULL,
  version    INTEGER NOT NULL DEFAULT 1,
  updated_at TEXT    NOT NULL DEFAULT (` + now + `),
  PRIMARY KEY(kind, key)
);
CREATE INDEX IF NOT EXISTS idx_kv_kind ON zestor_kv(kind);`

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func run(path string, args []string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?cache=shared")
	if err != nil {
		return err
	}
	defer db.Close()
	for _, setup := range []string{"PRAGMA journal_mode=WAL", "PRAGMA busy_timeout=5000", schema} {
		if _, err := db.Exec(setup); err != nil {
			return fmt.Errorf("%s: %w", setup, err)
		}
	}
	for len(args) > 0 {
		operation, count := operations[args[0]], arguments[args[0]]
		if operation == nil || len(args) <= count {
			return fmt.Errorf("no such operation: %q", args)
		}
		if err := inTransaction(db, operation, args[1:count+1]); err != nil {
			return fmt.Errorf("%q: %w", args, err)
		}
		args = args[count+1:]
	}
	return nil
}

var arguments = map[string]int{"set": 2, "many": 2, "delete": 1}

var operations = map[string]func(tx *sql.Tx, args []string) error{
	"set": func(tx *sql.Tx, args []string) error {
		key, value := args[0], []byte(args[1])
		result, err := tx.Exec("INSERT INTO zestor_kv(kind,key,value) VALUES(?,?,?) ON CONFLICT(kind,key) DO NOTHING;", kind, key, value)
		if err != nil {
			return err
		}
		if inserted, err := result.RowsAffected(); err != nil || inserted > 0 {
			return err
		}
		_, err = tx.Exec("UPDATE zestor_kv SET value=?, version=version+1, updated_at="+now+" WHERE kind=? AND key=?;", value, kind, key)
		return err
	},
	"many": func(tx *sql.Tx, args []string) error {
		_, err := tx.Exec(`INSERT INTO zestor_kv(kind,key,value) VALUES(?,?,?)
ON CONFLICT(kind,key) DO UPDATE SET
  value      = excluded.value,
  version    = zestor_kv.version + 1,
  updated_at = `+now+`;`, kind, args[0], []byte(args[1]))
		return err
	},
	"delete": func(tx *sql.Tx, args []string) error {
		_, err := tx.Exec("DELETE FROM zestor_kv WHERE kind=? AND key=?;", kind, args[0])
		return err
	},
}

func inTransaction(db *sql.DB, operation func(*sql.Tx, []string) error, args []string) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if err := operation(tx, args); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}
