// The unprivileged demo, whole: real IKEv2 and ESP in UDP over 127.0.0.1, compiled data plane workers, hosts in memory.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runLoopback } from '../../main/daemon/demo/loopback.ts';
import { DEMO_CIPHERS, DEMO_SHAPES } from '../../main/daemon/demo/options.ts';
import { createUndo } from '../../main/daemon/demo/undo.ts';

const built = existsSync(fileURLToPath(new URL('../../build/out/main/path/worker.js', import.meta.url)));

describe.skipIf(!built)(
  `the demo over loopback${built ? '' : ' [skipped: Culvert is not built (npm run build)]'}`,
  () => {
    test.each(DEMO_SHAPES.map((shape, i) => [shape, DEMO_CIPHERS[i]!] as const))(
      '%s with %s: page, pings, TCP both ways',
      async (shape, cipher) => {
        const lines: string[] = [];
        const undo = createUndo();
        try {
          await runLoopback({ shape, cipher, seconds: 0.2, loopback: true }, (line) => lines.push(line), undo);
        } finally {
          expect(await undo.run()).toEqual([]);
        }
        const text = lines.join('\n');
        expect(text).toContain('This page comes from the far side of the tunnel.');
        expect(text).toContain(`ESP, ${cipher}-esn`);
        expect(text).toContain('20 of 20 answered');
        expect(text.match(/SHA-256 equal at both ends/g)).toHaveLength(2);
        expect(text).toContain('Disconnected');
      },
    );
  },
);
