// Counts what ran for build/test.mjs, which adds the projects up: passed, failed, skipped, and why skipped.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class CountingReporter implements Reporter {
  private readonly counts = { passed: 0, failed: 0, skipped: 0 };
  private readonly reasons = new Map<string, number>();

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === 'pending') return;
    this.counts[result.state]++;
    if (result.state !== 'skipped') return;
    const reason = result.note ?? /\[skipped: (.*?)\]/.exec(test.fullName)?.[1] ?? 'no reason given';
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    // A file that could not be loaded has no test cases, and an unhandled error belongs to none: each is a failure.
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const file = process.env.CULVERT_COUNTS;
    if (!file) return;
    mkdirSync(dirname(file), { recursive: true });
    const counts = { ...this.counts, failed: this.counts.failed + broken + errors.length };
    writeFileSync(file, JSON.stringify({ ...counts, reasons: Object.fromEntries(this.reasons) }));
  }
}
