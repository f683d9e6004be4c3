import { spawn } from 'node:child_process';

const OPENERS: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** Opens a file or a URL with the system's default program. If the system has none, prints a message. */
export function openInBrowser(place: string): void {
  const [program, ...words] = OPENERS[process.platform] ?? ['xdg-open'];
  const opener = spawn(program, [...words, place], { stdio: 'ignore', detached: true });
  opener.on('error', () => console.error(`Cannot open a browser: ${program} is missing.`));
  opener.unref();
}
