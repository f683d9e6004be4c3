import { z } from 'zod';

/*
 * Import it before every schema. Otherwise, zod would generate code at run time, which the page's content security
 * policy forbids.
 */
z.config({ jitless: true });
