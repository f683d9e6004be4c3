import type { LibraryHandle } from 'koffi';
import { UserError } from '../../../../support/user-error.ts';
import type { Launch, MpiName } from '../../launch.ts';

/** The C constants of one MPI implementation: pointers into its library, or numbers. */
interface Abi {
  name: MpiName;
  /** Matches the start of MPI's version text (`MPI_Get_library_version`). */
  version: RegExp;
  /** File names of the library, for the system's linker. */
  libraries: Record<'linux' | 'darwin', readonly string[]>;
  /** The C type of MPI's handles. */
  handle: 'void *' | 'int';
  handles(library: LibraryHandle): Record<'world' | 'float' | 'byte' | 'sum', unknown>;
}

/** Open MPI's handles are the addresses of variables (see its mpi.h). */
const OPEN_MPI: Abi = {
  name: 'Open MPI',
  version: /^Open MPI/,
  libraries: {
    linux: ['libmpi.so.40', 'libmpi.so'],
    darwin: ['libmpi.40.dylib', '/opt/homebrew/lib/libmpi.dylib', '/usr/local/lib/libmpi.dylib'],
  },
  handle: 'void *',
  handles(library) {
    const address = (name: string) => library.symbol(name, 'char');
    return {
      world: address('ompi_mpi_comm_world'),
      float: address('ompi_mpi_float'),
      byte: address('ompi_mpi_byte'),
      sum: address('ompi_mpi_op_sum'),
    };
  },
};

/**
 * MPICH's handles are numbers (see its mpi.h). Libraries with MPICH's ABI, such as Intel MPI and MVAPICH, use the same.
 */
const MPICH: Abi = {
  name: 'MPICH',
  version: /^(MPICH|Intel\(R\) MPI|MVAPICH|CRAY MPICH)/,
  libraries: {
    linux: ['libmpich.so.12', 'libmpi.so.12', 'libmpich.so', 'libmpi.so'],
    darwin: ['libmpi.12.dylib', '/opt/homebrew/lib/libmpi.dylib', '/usr/local/lib/libmpi.dylib'],
  },
  handle: 'int',
  handles: () => ({ world: 0x44000000, float: 0x4c00040a, byte: 0x4c00010d, sum: 0x58000003 }),
};

const ABIS: readonly Abi[] = [OPEN_MPI, MPICH];

interface MpiLibrary {
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
export async function loadLibrary({ mpi }: Launch): Promise<MpiLibrary> {
  const koffi = await loadKoffi();
  const libraryPath = process.env[OWN_LIBRARY];
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
      const version = readVersion(library);
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
function readVersion(library: LibraryHandle): string {
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

/** All calls come from a single thread, but it may differ from the process's first thread. */
const MPI_THREAD_SERIALIZED = 2;

/** The MPI functions that this program calls. They involve all processes of the launcher. Counts are below 2^31. */
interface MpiCalls {
  /** Whether this process has finalized MPI. MPI can be initialized only once per process. */
  isFinalized(): boolean;
  init(): void;
  rank(): number;
  size(): number;
  allReduce(values: Float32Array, sums: Float32Array): void;
  broadcast(bytes: Uint8Array, root: number): void;
  /** Writes the values of every process to `all`, by rank. */
  allGather(values: Float64Array, all: Float64Array): void;
  barrier(): void;
  finalize(): void;
}

/** Declares the functions of a library. Each throws if MPI returns an error code. */
export function mpiCalls({ abi, library }: MpiLibrary): MpiCalls {
  const { name, handle } = abi;
  const { world, float, byte, sum } = abi.handles(library);
  const declare = (call: string, parameters: string) => {
    const declared = library.func(`int ${call}(${parameters})`);
    return (...values: unknown[]) => {
      const code = declared(...values);
      if (code !== 0) throw new Error(`${call} of ${name} failed with code ${code}`);
    };
  };
  const callReturning = (call: string, parameters: string, ...values: unknown[]) => {
    const result = [0];
    declare(call, `${parameters}_Out_ int *result`)(...values, result);
    return result[0]!;
  };
  const allReduce = declare(
    'MPI_Allreduce',
    `const void *own, void *sums, int count, ${handle} type, ${handle} op, ${handle} comm`,
  );
  const broadcast = declare('MPI_Bcast', `void *data, int count, ${handle} type, int root, ${handle} comm`);
  const allGather = declare(
    'MPI_Allgather',
    `const void *own, int count, ${handle} type, void *all, int counts, ${handle} types, ${handle} comm`,
  );
  const barrier = declare('MPI_Barrier', `${handle} comm`);
  const finalize = declare('MPI_Finalize', '');
  return {
    isFinalized: () => callReturning('MPI_Finalized', '') !== 0,
    init: () => {
      callReturning(
        'MPI_Init_thread',
        'void *argc, void *argv, int required, ',
        null,
        null,
        MPI_THREAD_SERIALIZED,
      );
    },
    rank: () => callReturning('MPI_Comm_rank', `${handle} comm, `, world),
    size: () => callReturning('MPI_Comm_size', `${handle} comm, `, world),
    allReduce: (values, sums) => allReduce(values, sums, sums.length, float, sum, world),
    broadcast: (bytes, root) => broadcast(bytes, bytes.length, byte, root, world),
    allGather: (values, all) =>
      allGather(values, values.byteLength, byte, all, values.byteLength, byte, world),
    barrier: () => barrier(world),
    finalize: () => finalize(),
  };
}
