// SPDX-License-Identifier: MIT
/**
 * What `@std/testing/bdd` offers and `node:test` has, under the same names.
 *
 * @module
 */
export {
  after,
  after as afterAll,
  afterEach,
  before,
  before as beforeAll,
  beforeEach,
  describe,
  it,
  test,
} from "node:test";
