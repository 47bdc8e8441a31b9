import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const SERVER = process.env["TRACKWIRE_URL"] ?? "http://127.0.0.1:5000";

export default defineConfig({
  plugins: [react()],
  // Relative, so that the pages work below any prefix.
  base: "./",
  build: {
    outDir: "../../server/trackwire_server/web/pages",
    emptyOutDir: true,
    target: "es2024",
    modulePreload: { polyfill: false },
    // An image of its own is better for the cache, and the policy allows no data: URL.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 400,
  },
  server: { proxy: { "^/trackwire\\.v1\\.": SERVER } },
});
