import type { LibraryHandle } from 'koffi';
import type { MpiName } from '../launch.ts';

/** The C constants of one MPI implementation: pointers into its library, or numbers. */
export interface Abi {
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

export const ABIS: readonly Abi[] = [OPEN_MPI, MPICH];
