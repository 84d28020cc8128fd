// SPDX-License-Identifier: MIT
import type { Results } from "./results.ts";
export async function updateReadme(_results: Results): Promise<void> {}
