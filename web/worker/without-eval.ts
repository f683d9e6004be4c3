import { z } from 'zod';

/* Comes before every schema: zod would make code of them at run time, which the page's content security policy forbids. */
z.config({ jitless: true });
