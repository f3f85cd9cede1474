"""The Streamlit app: everything between the pages and the library."""
