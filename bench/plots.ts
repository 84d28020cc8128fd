// SPDX-License-Identifier: MIT
import type { Results } from "./results.ts";
export async function writePlots(_results: Results, _folder: string): Promise<void> {}
