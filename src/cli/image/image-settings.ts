/** How a picture becomes the numbers that a model was trained on. */
export interface ImageSettings {
  /** Where the channels lie: before height and width, or after. */
  readonly layout: 'nchw' | 'nhwc';
  readonly color: 'rgb' | 'bgr' | 'grey';
  readonly size: ImageSize;
  /**
   * `crop`: scale until the picture covers the size, then cut the middle out; `stretch`: ignore proportions;
   * `contain`: scale until it fits, black around.
   */
  readonly fit: 'crop' | 'stretch' | 'contain';
  /** With `crop`: scale the shorter side to this many pixels before cutting; absent: just enough. */
  readonly shorterSide?: number;
  readonly kernel: 'nearest' | 'linear' | 'cubic' | 'lanczos3';
  /** `linear`: light intensities instead of the sRGB values that files hold. */
  readonly gamma: 'srgb' | 'linear';
  /** Factor on the pixel values 0..255: 1 keeps them, 1/255 makes 0..1. */
  readonly scale: number;
  /** Subtracted after scaling; one number, or one a channel in the order of `color`. */
  readonly mean: readonly number[];
  /** Divisor after subtracting; one number, or one a channel in the order of `color`. */
  readonly std: readonly number[];
}

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Some settings and where they were found, such as `--color` or `preprocessor_config.json`. */
export interface ImageHints {
  readonly origin: string;
  readonly settings: Partial<ImageSettings>;
}
