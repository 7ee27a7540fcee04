//! Behaviour of the `render` side, as a user could see it.

use std::path::Path;

use bedplate::render::{Partials, RenderOptions, Rendered, render};
use bedplate::spec;

const DEV: RenderOptions<'static> = RenderOptions { stage: "dev", region: Some("us-west-2") };

fn movie_poster() -> Rendered {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks/movie-poster/usecase.yaml");
    let loaded = spec::load(&path, "stacks/movie-poster/usecase.yaml").expect("a spec without findings");
    render(&loaded, &DEV, Partials::embedded()).expect("a template")
}

#[test]
fn movie_poster_renders_as_recorded() {
    let rendered = movie_poster();
    insta::assert_snapshot!("movie-poster.json", rendered.template.to_json());
    insta::assert_snapshot!("movie-poster.yaml", bedplate::yaml::emit(rendered.template.value()));
}
