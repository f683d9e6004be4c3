import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A proxy that does not answer. It makes CUDA's host unreachable, as it is for many users, but not the registry. */
const NO_PROXY_THERE = 'http://127.0.0.1:9';

/**
 * A user's environment: without the variables of this repository's npm and of these tests, and without access to the CUDA libraries' host.
 */
export function userEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(?!config_(registry|cache|userconfig)$)|ONNXRUNTIME_|GLIBC_TUNABLES|INIT_CWD)/i.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    GLOBAL_AGENT_HTTPS_PROXY: NO_PROXY_THERE,
    GLOBAL_AGENT_HTTP_PROXY: NO_PROXY_THERE,
    NO_COLOR: '1',
    HF_HUB_OFFLINE: '1',
  };
}

export function runAsUser(cwd: string, command: string, ...words: string[]) {
  return spawnSync(command, words, {
    cwd,
    encoding: 'utf8',
    env: userEnvironment(),
    input: '',
    timeout: 300_000,
  });
}

/** npm's messages for failures of the network or the registry. */
const NETWORK = /ECONNRESET|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|EAI_AGAIN|ERR_SOCKET_TIMEOUT|\bE(429|5\d\d)\b/;

/**
 * Runs an npm command that downloads packages. Tries a second time if the registry is slow or closes the connection.
 */
export function fetching(cwd: string, ...words: string[]) {
  const first = runAsUser(cwd, 'npm', ...words);
  // A process that timed out has no status.
  const isNetwork = first.status === null || (first.status !== 0 && NETWORK.test(first.stderr));
  return isNetwork ? runAsUser(cwd, 'npm', ...words) : first;
}

export function reachesRegistry(): boolean {
  const words = ['view', 'commander', 'version', '--fetch-retries=0', '--fetch-timeout=10000'];
  return spawnSync('npm', words, { cwd: tmpdir(), env: userEnvironment(), timeout: 20_000 }).status === 0;
}

/** Packs the built package into an empty folder. Returns the archive's path. */
export function packInto(folder: string): string {
  // dist/ is already built. The prepare step would delete it while other tests use it.
  const { status, stderr } = runAsUser('.', 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder);
  if (status !== 0) throw new Error(stderr);
  return join(folder, readdirSync(folder)[0]!);
}
