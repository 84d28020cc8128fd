// SPDX-License-Identifier: MIT
/**
 * npm's `sqlite-vec` in the SQLite of `node:sqlite`: a table in memory, one thread.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { loadPackage } from "./packages.ts";
import { type Contestant, K, runWorker } from "./worker.ts";

/** The part of the package that is used. */
interface SqliteVec {
  load(database: DatabaseSync): void;
}

const { module: sqliteVec, version } = loadPackage<SqliteVec>("sqlite-vec");
let database: DatabaseSync | undefined;
let insertion: StatementSync;
let selection: StatementSync;

function bytesOf(vectors: Float32Array, offset = 0, count = vectors.length): Uint8Array {
  return new Uint8Array(vectors.buffer, vectors.byteOffset + offset * 4, count * 4);
}

const contestant: Contestant<Record<string, unknown>[]> = {
  version: `${version}; Deno ${Deno.version.deno}`,
  begin(_rows, dimension) {
    database = new DatabaseSync(":memory:", { allowExtension: true });
    sqliteVec.load(database);
    database.exec(`CREATE VIRTUAL TABLE vectors USING vec0(vector float[${dimension}])`);
    insertion = database.prepare("INSERT INTO vectors(rowid, vector) VALUES (?, ?)");
    selection = database.prepare(
      `SELECT rowid FROM vectors WHERE vector MATCH ? AND k = ${K} ORDER BY distance`,
    );
  },
  insert(ids, vectors) {
    const dimension = vectors.length / ids.length;
    database!.exec("BEGIN");
    ids.forEach((id, i) => insertion.run(id, bytesOf(vectors, i * dimension, dimension)));
    database!.exec("COMMIT");
  },
  threads: () => 1,
  search: (query) => selection.all(bytesOf(query)),
  idsOf: (rows) => rows.map((row) => Number(row["rowid"])),
  drop() {
    database?.close();
    database = undefined;
  },
};

await runWorker(contestant);
