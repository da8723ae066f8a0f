interface ImportMetaEnv {
  /** version of the package, put in by vite.config.ts */
  readonly VITE_APP_VERSION: string;
}
