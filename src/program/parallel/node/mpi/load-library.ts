import type { LibraryHandle } from 'koffi';
import { UserError } from '../../../../support/user-error.ts';
import type { Launch, MpiName } from '../launch.ts';
import { ABIS, type Abi } from './abi.ts';

export interface MpiLibrary {
  abi: Abi;
  library: LibraryHandle;
}

/** The environment variable that names a library if the linker does not find the right one. */
const OWN_LIBRARY = 'ADALORA_MPI_LIBRARY';
/** The largest `MPI_MAX_LIBRARY_VERSION_STRING` of all implementations. */
const MAX_CHARACTERS = 2 ** 13;
/** The Debian package of each library. */
const PACKAGES: Record<MpiName, string> = { 'Open MPI': 'libopenmpi3', MPICH: 'libmpich12' };

/**
 * Loads the system's MPI library. It must be the launcher's implementation.
 *
 * @throws UserError if the library is missing or of the other implementation, or if koffi, which calls it, is missing
 */
export async function loadLibrary(
  { mpi }: Launch,
  env: NodeJS.ProcessEnv = process.env,
): Promise<MpiLibrary> {
  const koffi = await loadKoffi();
  const libraryPath = env[OWN_LIBRARY];
  const system = process.platform === 'darwin' ? 'darwin' : 'linux';
  const wanted = ABIS.filter(({ name }) => mpi === undefined || name === mpi);
  const others = ABIS.filter((abi) => !wanted.includes(abi));
  const installed: string[] = [];
  for (const abi of [...wanted, ...others]) {
    for (const name of libraryPath ? [libraryPath] : abi.libraries[system]) {
      let library: LibraryHandle;
      try {
        // Loaded globally, because Open MPI's plugins look up its symbols in the whole process.
        library = koffi.load(name, { global: true });
      } catch {
        continue;
      }
      const version = versionOf(library);
      if (abi.version.test(version) && wanted.includes(abi)) return { abi, library };
      installed.push(`${name} (${version || 'no MPI'})`);
    }
  }
  throw missing(mpi, [...new Set(installed)], libraryPath);
}

function missing(
  mpi: MpiName | undefined,
  installed: readonly string[],
  libraryPath: string | undefined,
): UserError {
  const name = mpi ?? 'MPI';
  const install = mpi
    ? `Install it (Debian: apt-get install ${PACKAGES[mpi]})`
    : 'Install one (Debian: libopenmpi3)';
  return new UserError({
    where: libraryPath ? `${OWN_LIBRARY}=${libraryPath}` : 'MPI',
    fault: `needs the library of ${name}${mpi ? ', whose launcher started this process' : ''}, but the system finds ${installed.length > 0 ? `only ${installed.join(', ')}` : 'none'}`,
    hint: `${install}, use the launcher of an installed one, or set ${OWN_LIBRARY} to the library's path.`,
  });
}

/** Returns a text such as `Open MPI v4.1.4` or `MPICH Version: 4.0.2`; an empty one if the library is not MPI. */
function versionOf(library: LibraryHandle): string {
  try {
    const ask = library.func('int MPI_Get_library_version(_Out_ char *text, _Out_ int *length)');
    const text = Buffer.alloc(MAX_CHARACTERS);
    ask(text, [0]);
    return text.toString('utf8', 0, text.indexOf(0)).split(/[,\n]/)[0]!.replace(/\s+/g, ' ').trim();
  } catch {
    return '';
  }
}

async function loadKoffi(): Promise<typeof import('koffi')> {
  try {
    return (await import('koffi')).default as unknown as typeof import('koffi');
  } catch {
    throw new UserError({
      where: 'koffi',
      fault: 'is needed to call MPI, but is not installed or has no binary for this system',
      hint: 'Run: npm install koffi@3',
    });
  }
}
