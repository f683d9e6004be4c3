import { spawn } from 'node:child_process';
import { Option } from 'commander';

const OPENERS: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** Whether {@link openInBrowser} is wanted. */
export function openOption(): Option {
  return new Option('--open <yes|no>', 'open it in a browser').choices(['yes', 'no']).default('no');
}

/** Opens a file or an address with what this system has for it; where it has nothing, says so. */
export function openInBrowser(place: string): void {
  const [program, ...words] = OPENERS[process.platform] ?? ['xdg-open'];
  const opener = spawn(program, [...words, place], { stdio: 'ignore', detached: true });
  opener.on('error', () => console.error(`No program here opens it: ${program} is missing.`));
  opener.unref();
}
