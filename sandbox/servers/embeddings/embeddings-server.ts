import { join } from 'node:path';
import { z } from 'zod';
import { pythonProgram } from '../python-program.ts';
import type { Server } from '../server.ts';
import { findTool } from '../toolbox.ts';

const program = pythonProgram({
  name: 'embeddings',
  requirements: join(import.meta.dirname, 'requirements.txt'),
  complete: true,
  installMs: 30_000,
});

const answer = z.object({ data: z.array(z.object({ embedding: z.array(z.number()).length(1536) })).length(1) });

/** An endpoint like OpenAI's `/v1/embeddings`, with a small real model of its own. */
export const embeddingsServer: Server = {
  name: 'embeddings',
  title: 'the embeddings endpoint',
  readyWithinMs: 60_000,
  endsWithinMs: 5_000,
  async missingTools() {
    return (await program.find()) !== null || (await findTool('python')) !== null ? [] : ['python'];
  },
  async prepare({ task }) {
    await program.install(task);
    return {};
  },
  async describe({ folder, state }) {
    const python = await program.find();
    if (python === null) throw new Error('the embeddings endpoint was not prepared');
    const script = join(import.meta.dirname, 'server.py');
    return {
      command: python,
      args: ['-B', script, String(state.ports.embeddings)],
      mark: `server.py ${state.ports.embeddings}`,
      stopSignal: 'SIGTERM',
      cwd: folder,
      env: { EMBEDDINGS_API_KEY: state.passwords.embeddings },
    };
  },
  async check({ embeddings: { url, apiKey } }) {
    try {
      const response = await fetch(`${url}/embeddings`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'text-embedding-3-small', input: 'Is it there?' }),
        signal: AbortSignal.timeout(5_000),
      });
      const body: unknown = await response.json();
      if (!response.ok) return `it answers ${response.status}`;
      return answer.safeParse(body).success ? null : 'its answer is no embedding';
    } catch (error) {
      return error instanceof Error ? error.message : 'no answer';
    }
  },
  wipe: async () => true,
  dataFolders: () => [],
};
