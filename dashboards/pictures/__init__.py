"""Pictures of the boards, from real traffic: `python -m dashboards.pictures` (make pictures).

asking     what Grafana would ask of Prometheus for a board, asked
drawing    Grafana's own components draw the answers in a browser
"""
