import { spawn } from 'node:child_process';
import { Option } from 'commander';

const OPENERS: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

export function openOption(): Option {
  return new Option('--open <yes|no>', 'whether to open it in a browser')
    .choices(['yes', 'no'])
    .default('no');
}

/** Opens a file or a URL with the system's default program. If the system has none, prints a message. */
export function openInBrowser(place: string): void {
  const [program, ...words] = OPENERS[process.platform] ?? ['xdg-open'];
  const opener = spawn(program, [...words, place], { stdio: 'ignore', detached: true });
  opener.on('error', () => console.error(`Cannot open a browser: ${program} is missing.`));
  opener.unref();
}
