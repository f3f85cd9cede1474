"""Every model on one protocol: how good, how sure, how robust, how dear."""

import streamlit as st

from app import benchmark_present, benchmark_view, components, services
from app.benchmark import RESULTS
from songnet.exceptions import SongNetError

try:
    results = services.load_benchmark(RESULTS)
    if results is not None and benchmark_present.is_presenting():
        benchmark_present.show_presentation(services.load_benchmark_story(RESULTS))
    elif results is not None:
        st.title("Benchmark", anchor=False)
        with st.container(horizontal=True):
            st.button("Present", icon=":material/slideshow:", on_click=benchmark_present.start)
            benchmark_view.show_exports(results)
        view = components.choose_view(benchmark_view.VIEWS, key="benchmark-view")
        benchmark_view.show_view(view, results)
        benchmark_view.show_about(results)
    else:
        st.title("Benchmark", anchor=False)
        benchmark_view.show_empty()
except SongNetError as error:
    components.show_error(error)
